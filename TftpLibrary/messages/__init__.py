"""What a test asks about transfers, and the texts that explain the answers."""
