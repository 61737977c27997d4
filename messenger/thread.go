package messenger

import (
	"context"
	"net/http"
	"net/url"
)

// ThreadRequest is a request about control of the thread of a person.
type ThreadRequest struct {
	PSID     PSID
	AppID    AppID  // PassThread: who gets the thread, such as [AppIDPageInbox]
	Metadata string // up to 1,000 characters; goes to the other app
}

// ThreadOwner is the app that may write in a thread.
type ThreadOwner struct {
	AppID      AppID `json:"app_id"`
	Expiration Count `json:"expiration,omitempty"` // seconds since 1970; 0 when it does not end
}

// SecondaryReceiver is an app that is not the primary one of a page.
type SecondaryReceiver struct {
	ID   AppID  `json:"id"`
	Name string `json:"name"`
}

func (c *Client) thread(ctx context.Context, edge string, req ThreadRequest) error {
	body := struct {
		Recipient   Recipient `json:"recipient"`
		TargetAppID AppID     `json:"target_app_id,omitempty"`
		Metadata    string    `json:"metadata,omitempty"`
	}{Recipient{ID: req.PSID}, req.AppID, req.Metadata}
	if err := c.check(http.MethodPost, edge, req.check); err != nil {
		return err
	}
	return c.Do(ctx, http.MethodPost, edge, nil, body, nil)
}

// PassThread passes control of the thread of a person to another app. [AppIDPageInbox] is the inbox
// of the page.
//
// Docs: https://developers.facebook.com/docs/messenger-platform/handover-protocol/pass-thread-control
func (c *Client) PassThread(ctx context.Context, req ThreadRequest) error {
	return c.thread(ctx, "me/pass_thread_control", req)
}

// TakeThread takes control of the thread of a person from the app that has it. Only the primary
// receiver may.
//
// Docs: https://developers.facebook.com/docs/messenger-platform/handover-protocol/take-thread-control
func (c *Client) TakeThread(ctx context.Context, req ThreadRequest) error {
	return c.thread(ctx, "me/take_thread_control", req)
}

// RequestThread asks the owner of a thread for it; the owner gets an event.
//
// Docs: https://developers.facebook.com/docs/messenger-platform/handover-protocol/request-thread-control
func (c *Client) RequestThread(ctx context.Context, req ThreadRequest) error {
	return c.thread(ctx, "me/request_thread_control", req)
}

// ReleaseThread gives a thread up, which leaves it idle.
//
// Docs: https://developers.facebook.com/docs/messenger-platform/handover-protocol/conversation-control
func (c *Client) ReleaseThread(ctx context.Context, req ThreadRequest) error {
	return c.thread(ctx, "me/release_thread_control", req)
}

// ThreadOwner returns the app that controls the thread of a person. It is nil for a thread that
// nobody has.
//
// Docs: https://developers.facebook.com/docs/messenger-platform/handover-protocol/get-thread-owner
func (c *Client) ThreadOwner(ctx context.Context, psid PSID) (*ThreadOwner, error) {
	answer, err := get[data[[]struct {
		Owner *ThreadOwner `json:"thread_owner"`
	}]](ctx, c, "me/thread_owner", url.Values{"recipient": {string(psid)}})
	if err != nil || len(answer.Data) == 0 {
		return nil, err
	}
	return answer.Data[0].Owner, nil
}

// SecondaryReceivers lists the apps that may be given threads of the token's
// page. Only the primary receiver may ask.
//
// Docs: https://developers.facebook.com/docs/messenger-platform/handover-protocol/secondary-receivers
func (c *Client) SecondaryReceivers(ctx context.Context) ([]SecondaryReceiver, error) {
	answer, err := get[data[[]SecondaryReceiver]](ctx, c, "me/secondary_receivers", url.Values{"fields": {"id,name"}})
	return answer.Data, err
}
