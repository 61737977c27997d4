package store

import (
	"testing"
	"time"
)

// A lease lasts as it is set while it is renewed swiftly, longer while the database is slow, never
// longer than five times, and as it is set again soon after.
func TestLeasesLastLongerWhileTheDatabaseIsSlow(t *testing.T) {
	t.Parallel()
	const usual = 3 * time.Second
	var l term
	l.took(20 * time.Millisecond)
	if got := l.next(usual); got != usual {
		t.Errorf("swift: %s", got)
	}
	l.took(2 * time.Second)
	if got := l.next(usual); got != 12*time.Second {
		t.Errorf("slow: %s", got)
	}
	l.took(time.Minute) // such as while the process was stopped
	if got := l.next(usual); got != 15*time.Second {
		t.Errorf("very slow: %s", got)
	}
	for range 20 {
		l.took(20 * time.Millisecond)
	}
	if got := l.next(usual); got != usual {
		t.Errorf("swift again: %s", got)
	}
}
