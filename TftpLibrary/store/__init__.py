"""What files come from and go to: a folder, memory, or both in layers."""
