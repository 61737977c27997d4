package forward

import (
	"errors"
	"fmt"
	"testing"
)

// What a call says of the receiver does not depend on the order of its events.
func TestVerdicts(t *testing.T) {
	t.Parallel()
	failed := errors.New("it failed")
	for name, c := range map[string]struct {
		want    error
		results []error
	}{
		"taken":             {nil, []error{nil, nil}},
		"taken in part":     {nil, []error{failed, nil, ErrBehind}},
		"rejected":          {nil, []error{fmt.Errorf("400: %w", ErrRejected), failed}},
		"gone":              {ErrGone, []error{ErrGone}},
		"gone after others": {ErrGone, []error{nil, failed, ErrGone}},
		"failed":            {failed, []error{failed, ErrBehind}},
	} {
		var call try
		for _, err := range c.results {
			call.results = append(call.results, Result{Err: err})
		}
		if got := call.verdict(); !errors.Is(got, c.want) || c.want == nil && got != nil {
			t.Errorf("%s: %v, wanted %v", name, got, c.want)
		}
	}
}
