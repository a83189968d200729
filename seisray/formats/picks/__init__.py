"""Files of first breaks: CSV, pyGIMLi, SeisImager."""
