"""What people score in a night: where it stands, which words it uses, what labels it gives."""
