package graphemu

import (
	"encoding/base64"
	"net/url"
	"slices"
	"strconv"

	"github.com/chasqui/chasqui/messenger"
)

// pageSize is how many items a list has unless the caller asks for another
// number.
const pageSize = 25

// item is an element of a list, with its fields.
type item struct {
	id     string
	fields map[string]any
}

// list returns one page of the items, with the fields that the call asks for. The last page has
// no paging at all, because some clients continue as long as they see a cursor.
func list(c *call, node string, items []item, byDefault ...string) (any, *messenger.Error) {
	limit := pageSize
	if text := c.params.text("limit"); text != "" {
		n, err := strconv.Atoi(text)
		if err != nil || n < 1 {
			return nil, refuse(100, 0, "(#100) Param limit must be an integer greater than or equal to 1")
		}
		limit = min(n, 100)
	}
	begin, e := startOf(c, items, limit)
	if e != nil {
		return nil, e
	}
	end := min(begin+limit, len(items))
	data := []any{}
	for _, it := range items[begin:end] {
		value, e := selectFields(c, node, it.fields, byDefault...)
		if e != nil {
			return nil, e
		}
		data = append(data, value)
	}
	out := map[string]any{"data": data}
	if end < len(items) {
		after := cursor(items[end-1].id)
		out["paging"] = map[string]any{
			"cursors": map[string]string{"before": cursor(items[begin].id), "after": after},
			"next":    c.nextURL(after),
		}
	}
	return out, nil
}

// startOf returns the index at which a page of the list begins.
func startOf(c *call, items []item, limit int) (int, *messenger.Error) {
	place := func(name string) (int, *messenger.Error) {
		id, err := base64.RawURLEncoding.DecodeString(c.params.text(name))
		i := slices.IndexFunc(items, func(it item) bool { return it.id == string(id) })
		if err != nil || i < 0 {
			return 0, refuse(100, 0, "(#100) Invalid cursors values")
		}
		return i, nil
	}
	switch {
	case c.params.has("after"):
		i, e := place("after")
		return min(i+1, len(items)), e
	case c.params.has("before"):
		i, e := place("before")
		return max(i-limit, 0), e
	}
	return 0, nil
}

func cursor(id string) string { return base64.RawURLEncoding.EncodeToString([]byte(id)) }

// nextURL returns the address of the same call for what follows the cursor.
func (c *call) nextURL(after string) string {
	q := url.Values{"access_token": {c.token}, "after": {after}}
	for _, name := range []string{"fields", "limit", "appsecret_proof", "platform", "user_id"} {
		if v := c.params.text(name); v != "" {
			q.Set(name, v)
		}
	}
	path := "/" + c.version() + "/" + c.node
	if c.edge != "" {
		path += "/" + c.edge
	}
	return "http://" + c.host + path + "?" + q.Encode()
}
