"""One run of the whole platform at a fixed rate, with everything that is measured of it. Sections are made of trials."""
