"""What goes wrong outside the code: the store, the disk, the clock, the memory, the machine."""
