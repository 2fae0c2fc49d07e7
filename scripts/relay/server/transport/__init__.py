"""HTTP/1.1 on uvicorn, with limits and a graceful shutdown."""
