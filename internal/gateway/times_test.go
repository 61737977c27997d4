package gateway

import (
	"math"
	"testing"
	"time"
)

// A number of days or seconds that no duration holds is the longest there is, and never a short
// one.
func TestTimes(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		n    int
		unit time.Duration
		want time.Duration
	}{
		{30, 24 * time.Hour, 720 * time.Hour},
		{213504, 24 * time.Hour, math.MaxInt64}, // wraps to a few hours
		{math.MaxInt, time.Second, math.MaxInt64},
		{math.MinInt, time.Second, math.MinInt64},
		{-5, time.Second, -5 * time.Second},
		{0, time.Hour, 0},
	} {
		if got := Times(c.n, c.unit); got != c.want {
			t.Errorf("%d × %s = %s, want %s", c.n, c.unit, got, c.want)
		}
	}
}
