//! The dashboard: keys to messages, messages to state, state to screen.
