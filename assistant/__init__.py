"""What people see and talk to: the chat, the terminal, the agent and the sample bank."""
