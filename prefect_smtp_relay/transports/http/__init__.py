"""HTTP requests with one bound, over kept connections: for SendGrid and for token endpoints."""
