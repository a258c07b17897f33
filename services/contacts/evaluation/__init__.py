"""What the service's matching would find among one's own records: a file in, clusters with explanations out. No platform."""
