package lane

// Spilled returns the lowest position of those that are left to the source; 0 when none are.
func (s *Scheduler[K, J]) Spilled() int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.spilled()
}
