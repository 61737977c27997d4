package guard

// openFiles is how many files the process may have open; Windows has no such limit.
func openFiles() int { return 1 << 20 }
