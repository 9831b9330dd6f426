"""The machine: devices, hosts, memory, versions of packages, progress on a terminal."""
