"""Files of contacts: records in, one by one and however hostile the file; contacts out, piece by piece."""
