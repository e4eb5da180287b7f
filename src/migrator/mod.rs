//! The facade: the only door for the command line and for programs that embed the tool.
