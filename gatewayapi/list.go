package gatewayapi

import (
	"context"
	"iter"
)

// walk yields the items of a list page by page: read reads the page after a cursor and returns its
// items and the cursor of the next, empty for the last.
func walk[T any](first string, read func(cursor string) ([]T, string, error)) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		for cursor := first; ; {
			items, next, err := read(cursor)
			if err != nil {
				var zero T
				yield(zero, err)
				return
			}
			for _, item := range items {
				if !yield(item, nil) {
					return
				}
			}
			if next == "" || next == cursor {
				return
			}
			cursor = next
		}
	}
}

// all yields the items of a list that comes whole.
func all[T any](ctx context.Context, read func(context.Context) ([]T, error)) iter.Seq2[T, error] {
	return walk("", func(string) ([]T, string, error) {
		items, err := read(ctx)
		return items, "", err
	})
}
