//! The engine driven through its seam, on a server.
