package gatewayapi

import (
	"context"
	"iter"
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

// AllSubscriptions walks all subscriptions that the key may see.
func (c *Client) AllSubscriptions(ctx context.Context) iter.Seq2[Subscription, error] {
	return all(ctx, c.ListSubscriptions)
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

// DeleteSecretRequest names a signing secret.
type DeleteSecretRequest struct {
	Subscription string // id
	Secret       string // id of the secret, not its value
}

// DeleteSecret ends a signing secret at once.
func (c *Client) DeleteSecret(ctx context.Context, req DeleteSecretRequest) error {
	return c.remove(ctx, subscriptionPath(req.Subscription)+"/secrets/"+url.PathEscape(req.Secret))
}

// PullRequest says what PullEvents reads.
type PullRequest struct {
	Subscription string        // id
	After        string        // reads on after this cursor; empty for after the acknowledged one
	Limit        int           // 1 to 1,000; 0 for 100
	Wait         time.Duration // how long to wait for the first event, up to 30 s
}

// PullEvents reads events of a pull subscription and moves nothing: Ack does.
func (c *Client) PullEvents(ctx context.Context, req PullRequest) (EventPage, error) {
	wait := ""
	if req.Wait > 0 {
		wait = strconv.Itoa(int(math.Ceil(req.Wait.Seconds())))
	}
	return get[EventPage](ctx, c, subscriptionPath(req.Subscription)+"/events", query("after", req.After, "limit", number(req.Limit), "wait", wait))
}

// Ack says that all events up to a cursor are dealt with. It is idempotent and never moves the
// cursor back.
func (c *Client) Ack(ctx context.Context, subscription string, req AckRequest) (AckResult, error) {
	var result AckResult
	_, err := c.do(ctx, call{method: http.MethodPost, path: subscriptionPath(subscription) + "/ack", body: req, into: &result, safe: true})
	return result, err
}

// Consume pulls events of a pull subscription and hands each to deal, in order, until the context
// ends or deal fails; it returns the context's error or deal's. A page of events is acknowledged
// when all of them are dealt with: after a failure those before it come again, so deal must bear an
// event twice.
func (c *Client) Consume(ctx context.Context, req PullRequest, deal func(context.Context, Event) error) error {
	if req.Wait == 0 {
		req.Wait = 30 * time.Second
	}
	for {
		page, err := c.PullEvents(ctx, req)
		if err != nil {
			return err
		}
		for _, event := range page.Events {
			if err := deal(ctx, event); err != nil {
				return err
			}
		}
		if len(page.Events) == 0 {
			continue
		}
		if _, err := c.Ack(ctx, req.Subscription, AckRequest{Cursor: page.Cursor}); err != nil {
			return err
		}
		req.After = page.Cursor
	}
}

// ListDeliveriesRequest selects deliveries of a forward subscription.
type ListDeliveriesRequest struct {
	Subscription string         // id
	Status       DeliveryStatus // empty for all
	Cursor       string         // of the page before
	Limit        int            // 1 to 200; 0 for 50
}

// ListDeliveries reads one page of the deliveries of a forward subscription, newest event first.
func (c *Client) ListDeliveries(ctx context.Context, req ListDeliveriesRequest) (DeliveryPage, error) {
	return get[DeliveryPage](ctx, c, subscriptionPath(req.Subscription)+"/deliveries", query("status", string(req.Status), "cursor", req.Cursor, "limit", number(req.Limit)))
}

// AllDeliveries walks the deliveries of a forward subscription from a page on, newest event first.
// An error ends the walk.
func (c *Client) AllDeliveries(ctx context.Context, req ListDeliveriesRequest) iter.Seq2[Delivery, error] {
	return walk(req.Cursor, func(cursor string) ([]Delivery, string, error) {
		req.Cursor = cursor
		page, err := c.ListDeliveries(ctx, req)
		return page.Deliveries, page.Cursor, err
	})
}

// Replay delivers again: everything since a time, one event, or at once what waits for its next
// try.
func (c *Client) Replay(ctx context.Context, subscription string, req ReplayRequest) error {
	_, err := c.do(ctx, call{method: http.MethodPost, path: subscriptionPath(subscription) + "/replay", body: req})
	return err
}

// NoApplication selects, as ListEventsRequest.Application, the events that no application owns.
const NoApplication = "none"

// ListEventsRequest selects events. Empty fields select all.
type ListEventsRequest struct {
	Application   string // a key, or NoApplication
	Type          EventType
	FBMessengerID string
	After         string // cursor of the page before
	Limit         int    // 1 to 1,000; 0 for 100
}

// ListEvents reads events in order.
func (c *Client) ListEvents(ctx context.Context, req ListEventsRequest) (EventPage, error) {
	return get[EventPage](ctx, c, "/v1/events", query("application", req.Application, "type", string(req.Type), "fbMessengerId", req.FBMessengerID,
		"after", req.After, "limit", number(req.Limit)))
}

// AllEvents walks the events that are there, in order. An error ends the walk.
func (c *Client) AllEvents(ctx context.Context, req ListEventsRequest) iter.Seq2[Event, error] {
	return walk(req.After, func(cursor string) ([]Event, string, error) {
		req.After = cursor
		page, err := c.ListEvents(ctx, req)
		if len(page.Events) == 0 {
			return nil, "", err
		}
		return page.Events, page.Cursor, err
	})
}

// ListSetAsideRequest selects events that were set aside.
type ListSetAsideRequest struct {
	Reader string // a part of the gateway, such as bot; empty for all
	Cursor string // of the page before
	Limit  int    // 1 to 200; 0 for 50
}

// ListSetAside reads events that a part of the gateway failed on again and again, and went on
// without.
func (c *Client) ListSetAside(ctx context.Context, req ListSetAsideRequest) (SetAsidePage, error) {
	return get[SetAsidePage](ctx, c, "/v1/set-aside", query("reader", req.Reader, "cursor", req.Cursor, "limit", number(req.Limit)))
}

// AllSetAside walks the events that were set aside, newest first. An error ends the walk.
func (c *Client) AllSetAside(ctx context.Context, req ListSetAsideRequest) iter.Seq2[SetAsideEvent, error] {
	return walk(req.Cursor, func(cursor string) ([]SetAsideEvent, string, error) {
		req.Cursor = cursor
		page, err := c.ListSetAside(ctx, req)
		return page.Events, page.Cursor, err
	})
}

// RetrySetAsideRequest names an event that was set aside.
type RetrySetAsideRequest struct {
	Event  string // id
	Reader string // the part of the gateway that went on without it
}

// RetrySetAside has a part of the gateway deal anew with an event that it set aside. The error's
// code is CodeConflict when the event fails again.
func (c *Client) RetrySetAside(ctx context.Context, req RetrySetAsideRequest) error {
	_, err := c.do(ctx, call{method: http.MethodPost, path: "/v1/set-aside/" + url.PathEscape(req.Event) + "/" + url.PathEscape(req.Reader) + "/retry"})
	return err
}
