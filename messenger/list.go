package messenger

import (
	"context"
	"encoding/json"
	"fmt"
	"iter"
	"net/http"
	"net/url"
	"strconv"
	"strings"
)

// List is one page of a list.
type List[T any] struct {
	Data   []T    `json:"data"`
	Paging Paging `json:"paging,omitzero"`
}

// Paging is where a page stands in its list.
type Paging struct {
	Cursors  Cursors `json:"cursors,omitzero"`
	Next     string  `json:"next,omitempty"`     // the address of the next page, which holds a token; "" on the last one
	Previous string  `json:"previous,omitempty"` // the address of the page before, which holds a token
}

// Cursors mark the beginning and the end of a page.
type Cursors struct {
	Before string `json:"before,omitempty"`
	After  string `json:"after,omitempty"`
}

// Next is the cursor to ask for the next page with, "" when this is the last
// one. It comes from the answer's next page, never from its last entry alone:
// the platform gives cursors on the last page too.
func (l List[T]) Next() string {
	if l.Paging.Next == "" {
		return ""
	}
	if l.Paging.Cursors.After != "" {
		return l.Paging.Cursors.After
	}
	next, err := url.Parse(l.Paging.Next)
	if err != nil {
		return ""
	}
	return next.Query().Get("after")
}

// ListOptions says which part of a list is wanted.
type ListOptions struct {
	Fields []string // fields of each entry; the method says what it asks for without
	Limit  int      // entries of a page; the platform chooses when it is 0
	After  string   // the page after this cursor; see [List.Next]
	Before string   // the page before this cursor
}

func (o ListOptions) query(defaults ...string) url.Values {
	query := url.Values{}
	if len(o.Fields) > 0 {
		defaults = o.Fields
	}
	if len(defaults) > 0 {
		query.Set("fields", strings.Join(defaults, ","))
	}
	if o.Limit > 0 {
		query.Set("limit", strconv.Itoa(o.Limit))
	}
	setNonEmpty(query, "after", o.After)
	setNonEmpty(query, "before", o.Before)
	return query
}

func setNonEmpty(query url.Values, name, value string) {
	if value != "" {
		query.Set(name, value)
	}
}

// maxEmptyPages is how many pages without entries may follow one another: the
// platform filters pages, but it does not do so for ever.
const maxEmptyPages = 25

// all walks a list page by page, from the page that query asks for. It ends on
// the page without a next one, and with an error when the pages repeat.
func all[T any](ctx context.Context, c *Client, path string, query url.Values) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		var none T
		query := cloneValues(query)
		seen := map[string]bool{query.Get("after"): true}
		for empty := 0; ; {
			page, err := get[List[T]](ctx, c, path, query)
			if err != nil {
				yield(none, err)
				return
			}
			for _, entry := range page.Data {
				if !yield(entry, nil) {
					return
				}
			}
			next := page.Next()
			if empty++; len(page.Data) > 0 {
				empty = 0
			}
			switch {
			case next == "":
				return
			case seen[next] || empty > maxEmptyPages:
				yield(none, &CallError{http.MethodGet, path, fmt.Errorf("%w: the pages of the list do not end", ErrUnreadable), false})
				return
			}
			seen[next] = true
			query.Set("after", next)
			query.Del("before")
		}
	}
}

func cloneValues(v url.Values) url.Values {
	out := make(url.Values, len(v)+1)
	for name, values := range v {
		out[name] = append([]string(nil), values...)
	}
	return out
}

// get reads path into a T.
func get[T any](ctx context.Context, c *Client, path string, query url.Values) (T, error) {
	var out T
	err := c.Do(ctx, http.MethodGet, path, query, nil, &out)
	return out, err
}

// post sends body to path and reads the answer into a T.
func post[T any](ctx context.Context, c *Client, path string, body any) (T, error) {
	var out T
	err := c.Do(ctx, http.MethodPost, path, nil, body, &out)
	return out, err
}

// data is the answer of calls that wrap what they give.
type data[T any] struct {
	Data T `json:"data"`
}

// created is the answer of calls that make something.
type created struct {
	ID string `json:"id"`
}

// UnmarshalJSON accepts the id as a string and as a number.
func (c *created) UnmarshalJSON(b []byte) error {
	var wire struct {
		ID PSID `json:"id"`
	}
	err := json.Unmarshal(b, &wire)
	c.ID = string(wire.ID)
	return err
}

// nodePath is the path of a node, or of one of its edges. The path of an id that
// is empty or has a slash holds a percent sign, which no call accepts: it would
// be another call.
func nodePath[ID ~string](id ID, edge string) string {
	path := strings.ReplaceAll(string(id), "/", "%2F")
	if path == "" {
		path = "%(empty id)"
	}
	if edge == "" {
		return path
	}
	return path + "/" + edge
}
