"""What sync does: fold views, keep channels and keys, deliver. Each file declares what it needs of the outside."""
