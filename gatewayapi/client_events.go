package gatewayapi

import (
	"context"
	"math"
	"net/http"
	"net/url"
	"strconv"
	"time"
)

func subscriptionPath(id string) string { return "/v1/subscriptions/" + url.PathEscape(id) }

// CreateSubscription makes a subscription. Its signing secrets are in the answer, and nowhere else.
func (c *Client) CreateSubscription(ctx context.Context, req CreateSubscriptionRequest) (Subscription, error) {
	return send[Subscription](ctx, c, http.MethodPost, "/v1/subscriptions", req)
}

// ListSubscriptions reads all subscriptions that the key may see.
func (c *Client) ListSubscriptions(ctx context.Context) ([]Subscription, error) {
	list, err := get[SubscriptionList](ctx, c, "/v1/subscriptions", nil)
	return list.Subscriptions, err
}

// GetSubscription reads one subscription.
func (c *Client) GetSubscription(ctx context.Context, id string) (Subscription, error) {
	return get[Subscription](ctx, c, subscriptionPath(id), nil)
}

// UpdateSubscription changes a subscription.
func (c *Client) UpdateSubscription(ctx context.Context, id string, req UpdateSubscriptionRequest) (Subscription, error) {
	return send[Subscription](ctx, c, http.MethodPatch, subscriptionPath(id), req)
}

// DeleteSubscription removes a subscription with its deliveries.
func (c *Client) DeleteSubscription(ctx context.Context, id string) error {
	return c.remove(ctx, subscriptionPath(id))
}

// AddSecret gives a subscription another signing secret; the answer holds its value.
func (c *Client) AddSecret(ctx context.Context, id string, req AddSecretRequest) (Subscription, error) {
	return send[Subscription](ctx, c, http.MethodPost, subscriptionPath(id)+"/secrets", req)
}

// DeleteSecret ends a signing secret at once.
func (c *Client) DeleteSecret(ctx context.Context, id, secret string) error {
	return c.remove(ctx, subscriptionPath(id)+"/secrets/"+url.PathEscape(secret))
}

// PullRequest says what PullEvents reads.
type PullRequest struct {
	After string        // reads on after this cursor; empty for after the acknowledged one
	Limit int           // 1 to 1,000; 0 for 100
	Wait  time.Duration // how long to wait for the first event, up to 30 s
}

// PullEvents reads events of a pull subscription and moves nothing: Ack does.
func (c *Client) PullEvents(ctx context.Context, subscription string, req PullRequest) (EventPage, error) {
	query := page(nil, "", req.Limit)
	setUnlessEmpty(query, "after", req.After)
	if req.Wait > 0 {
		query.Set("wait", strconv.Itoa(int(math.Ceil(req.Wait.Seconds()))))
	}
	return get[EventPage](ctx, c, subscriptionPath(subscription)+"/events", query)
}

// Ack says that all events up to a cursor are dealt with. It may be said again; it never moves back.
func (c *Client) Ack(ctx context.Context, subscription, cursor string) (AckResult, error) {
	return send[AckResult](ctx, c, http.MethodPost, subscriptionPath(subscription)+"/ack", AckRequest{Cursor: cursor})
}

// Deliveries reads one page of the deliveries of a forward subscription, newest event first. status selects one state when not empty.
func (c *Client) Deliveries(ctx context.Context, subscription, status, cursor string, limit int) (DeliveryPage, error) {
	query := page(nil, cursor, limit)
	setUnlessEmpty(query, "status", status)
	return get[DeliveryPage](ctx, c, subscriptionPath(subscription)+"/deliveries", query)
}

// Replay delivers again: everything since a time, or one event.
func (c *Client) Replay(ctx context.Context, subscription string, req ReplayRequest) error {
	_, err := c.do(ctx, call{method: http.MethodPost, path: subscriptionPath(subscription) + "/replay", body: req})
	return err
}

// EventFilter selects events. Empty fields select all.
type EventFilter struct {
	Application   string // a key, or "none" for the events that no application owns
	Type          string
	FBMessengerID string
	After         string // cursor of the page before
	Limit         int    // 1 to 1,000; 0 for 100
}

// ListEvents reads events in order.
func (c *Client) ListEvents(ctx context.Context, f EventFilter) (EventPage, error) {
	query := page(nil, "", f.Limit)
	setUnlessEmpty(query, "after", f.After)
	setUnlessEmpty(query, "application", f.Application)
	setUnlessEmpty(query, "type", f.Type)
	setUnlessEmpty(query, "fbMessengerId", f.FBMessengerID)
	return get[EventPage](ctx, c, "/v1/events", query)
}

// SetAsideQuery selects events that were set aside.
type SetAsideQuery struct {
	Reader string // a part of the gateway, such as bot; empty for all
	Cursor string
	Limit  int // 1 to 200; 0 for 50
}

// ListSetAside reads events that a part of the gateway failed on again and again, and went on without.
func (c *Client) ListSetAside(ctx context.Context, q SetAsideQuery) (SetAsidePage, error) {
	query := page(nil, q.Cursor, q.Limit)
	setUnlessEmpty(query, "reader", q.Reader)
	return get[SetAsidePage](ctx, c, "/v1/set-aside", query)
}

// RetrySetAside has a part of the gateway deal anew with an event that it set aside. It fails with code conflict when the event fails again.
func (c *Client) RetrySetAside(ctx context.Context, event, reader string) error {
	_, err := send[struct{}](ctx, c, http.MethodPost, "/v1/set-aside/"+url.PathEscape(event)+"/"+url.PathEscape(reader)+"/retry", nil)
	return err
}
