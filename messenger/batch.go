package messenger

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
)

// maxBatch is how many items the platform accepts in one batch.
const maxBatch = 50

// ErrUnanswered is the error of a batch item to which the platform gave no
// answer: whether it was done is not known.
var ErrUnanswered = errors.New("batch item has no answer")

// Batch collects calls and makes them in as few requests as possible, 50 to each.
// Each item counts as one call for the platform's limits. It is not safe for
// concurrent use.
type Batch struct {
	client *Client
	items  []*batchItem
}

// NewBatch begins a batch whose items have the client's token, unless an item's
// call uses [Client.As].
//
// Docs: https://developers.facebook.com/docs/graph-api/batch-requests
func (c *Client) NewBatch() *Batch { return &Batch{client: c} }

// BatchItem is a call in a batch. Its result is there once [Batch.Do] returned.
type BatchItem[T any] struct {
	item   *batchItem
	result T
}

// batchItem is what the batch needs of an item, whatever its result.
type batchItem struct {
	run       func(context.Context, *Client) error // makes the call and keeps its result
	name      string
	dependsOn []string
	omit      bool

	request  *capturedRequest
	finished bool
	err      error
}

// ItemOption relates an item of a batch to the others.
type ItemOption func(*batchItem)

// ItemName names an item, so that others can depend on it and use its answer:
// "{result=name:$.id}" in an id or a text stands for a part of the answer.
func ItemName(name string) ItemOption { return func(i *batchItem) { i.name = name } }

// DependsOn has an item wait for others of the batch, and not run when one of
// them fails.
func DependsOn(names ...string) ItemOption {
	return func(i *batchItem) { i.dependsOn = append(i.dependsOn, names...) }
}

// OmitOnSuccess leaves out the answer to an item that succeeds. Its result is
// then empty.
func OmitOnSuccess() ItemOption { return func(i *batchItem) { i.omit = true } }

// AddToBatch adds any call to a batch: call makes exactly one request with the
// client that it is given, and returns what that client returned. It runs twice:
// once to see the request, once to read the answer. Files cannot be sent in a
// batch.
//
// Docs: https://developers.facebook.com/docs/graph-api/batch-requests
func AddToBatch[T any](b *Batch, call func(ctx context.Context, c *Client) (T, error), opts ...ItemOption) *BatchItem[T] {
	typed := &BatchItem[T]{item: &batchItem{}}
	typed.item.run = func(ctx context.Context, c *Client) (err error) {
		typed.result, err = call(ctx, c)
		return err
	}
	for _, opt := range opts {
		opt(typed.item)
	}
	b.items = append(b.items, typed.item)
	return typed
}

// Send adds a message; see [Client.Send].
func (b *Batch) Send(req SendRequest, opts ...ItemOption) *BatchItem[SendResult] {
	return AddToBatch(b, func(ctx context.Context, c *Client) (SendResult, error) { return c.Send(ctx, req) }, opts...)
}

// SenderAction adds a sender action; see [Client.SenderAction].
func (b *Batch) SenderAction(req SenderActionRequest, opts ...ItemOption) *BatchItem[SendResult] {
	return AddToBatch(b, func(ctx context.Context, c *Client) (SendResult, error) { return c.SenderAction(ctx, req) }, opts...)
}

// Call adds a call that returns nothing but an error; see [AddToBatch].
func (b *Batch) Call(call func(ctx context.Context, c *Client) error, opts ...ItemOption) *BatchItem[struct{}] {
	return AddToBatch(b, func(ctx context.Context, c *Client) (struct{}, error) { return struct{}{}, call(ctx, c) }, opts...)
}

// Len is the number of items.
func (b *Batch) Len() int { return len(b.items) }

// Result is what the item's call returned. Before [Batch.Do] it is an error.
func (i *BatchItem[T]) Result() (T, error) {
	if !i.item.finished {
		return i.result, errors.New("the batch has not run")
	}
	return i.result, i.item.err
}

// Do makes the calls, in requests of at most 50 items one after the other. An
// item that depends on another goes in the same request. The error is that of
// requests that failed as a whole; the items have errors of their own, also
// those that were not sent because they break a rule.
//
// Docs: https://developers.facebook.com/docs/graph-api/batch-requests
func (b *Batch) Do(ctx context.Context) error {
	var ready []*batchItem
	for _, item := range b.items {
		if item.finished {
			continue
		}
		if item.capture(ctx, b.client); item.request != nil {
			ready = append(ready, item)
		}
	}
	chunks, err := split(ready)
	for _, chunk := range chunks {
		if failed := b.post(ctx, chunk); failed != nil {
			err = errors.Join(err, failed)
			for _, item := range chunk {
				item.finished, item.err = true, failed
			}
		}
	}
	return err
}

// post sends the items in one request and hands each its answer.
func (b *Batch) post(ctx context.Context, chunk []*batchItem) error {
	wire := make([]wireItem, len(chunk))
	for i, item := range chunk {
		wire[i] = item.wire(b.client)
	}
	answers, err := post[[]json.RawMessage](ctx, b.client, "", struct {
		Batch []wireItem `json:"batch"`
	}{wire})
	if err != nil {
		return fmt.Errorf("batch of %d: %w", len(chunk), err)
	}
	for i, item := range chunk {
		var answer json.RawMessage
		if i < len(answers) {
			answer = answers[i]
		}
		item.finish(ctx, b.client, answer)
	}
	return nil
}

// split cuts the items into requests that keep what belongs together.
func split(items []*batchItem) ([][]*batchItem, error) {
	var (
		chunks [][]*batchItem
		chunk  []*batchItem
		err    error
	)
	position := map[*batchItem]int{}
	for i, item := range items {
		position[item] = i
	}
	for _, group := range groups(items) {
		if len(group) > maxBatch {
			err = fmt.Errorf("batch: %d items depend on one another: %w", len(group), &FieldError{"batch", "must have at most 50 items that belong together", maxBatch, len(group)})
			for _, item := range group {
				item.finished, item.err = true, err
			}
			continue
		}
		if len(chunk)+len(group) > maxBatch {
			chunks, chunk = append(chunks, chunk), nil
		}
		chunk = append(chunk, group...)
	}
	if len(chunk) > 0 {
		chunks = append(chunks, chunk)
	}
	for _, chunk := range chunks {
		slices.SortFunc(chunk, func(a, b *batchItem) int { return position[a] - position[b] })
	}
	return chunks, err
}

// groups are the items that depend on one another, each in its first item's
// place.
func groups(items []*batchItem) [][]*batchItem {
	named := map[string]int{}
	parent := make([]int, len(items))
	for i, item := range items {
		parent[i] = i
		if item.name != "" {
			named[item.name] = i
		}
	}
	root := func(i int) int {
		for parent[i] != i {
			i = parent[i]
		}
		return i
	}
	for i, item := range items {
		for _, name := range append(item.references(), item.dependsOn...) {
			if j, known := named[name]; known {
				first, second := root(i), root(j)
				parent[max(first, second)] = min(first, second)
			}
		}
	}
	members := map[int][]*batchItem{}
	var order []int
	for i, item := range items {
		r := root(i)
		if members[r] == nil {
			order = append(order, r)
		}
		members[r] = append(members[r], item)
	}
	out := make([][]*batchItem, len(order))
	for i, r := range order {
		out[i] = members[r]
	}
	return out
}
