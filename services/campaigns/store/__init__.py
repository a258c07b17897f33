"""MongoDB: the only place that knows the driver and the shape of documents."""
