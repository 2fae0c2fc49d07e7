"""HTTP/1.1 on a socket: uvicorn with limits, and its end."""
