"""The version of the distribution, read by the build and by the library."""

VERSION = "0.1.0.dev0"
