package comapi

import (
	"encoding/json"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/chasqui/chasqui/internal/gateway"
)

// webhook is a subscription as the API has it.
type webhook struct {
	ID            string  `json:"id,omitempty"`
	Name          string  `json:"name"`
	URL           string  `json:"url"`
	Secret        string  `json:"secret,omitempty"` // shown once, in the answer to the request that made it
	Batch         bool    `json:"batch"`
	MaxBatchSize  int     `json:"maxBatchSize"`
	BatchTimeout  int     `json:"batchTimeout"`
	Subscriptions []topic `json:"subscriptions"`
	CreatedOn     string  `json:"_createdOn,omitempty"`
	UpdatedOn     string  `json:"_updatedOn,omitempty"`
}

// Limits of batches.
const (
	defaultBatchSize, maxBatchSize       = 100, 500
	defaultBatchTimeout, maxBatchTimeout = 10, 60 // seconds
)

// silent are the events of the API that never happen here; wanting them is no mistake.
func silent() []string {
	return []string{"message.sentRequest", "profile.delete", "profile.undelete", "profile.devicesUpdated", "interaction.click",
		"conversationMessage.sent", "conversationMessage.delivered", "conversationMessage.read"}
}

func known(name string) bool {
	if _, ok := topicTypes[name]; ok || slices.Contains(silent(), name) {
		return true
	}
	family, _, ok := strings.Cut(name, ".")
	return ok && slices.Contains([]string{"conversation", "participant", "chat"}, family)
}

// settle checks a webhook and writes it into a subscription.
func (in *webhook) settle(s *gateway.Subscription) error {
	if in.MaxBatchSize == 0 {
		in.MaxBatchSize = defaultBatchSize
	}
	if in.BatchTimeout == 0 {
		in.BatchTimeout = defaultBatchTimeout
	}
	switch {
	case strings.TrimSpace(in.Name) == "":
		return gateway.Invalid("name", "must be given")
	case in.MaxBatchSize < 1 || in.MaxBatchSize > maxBatchSize:
		return gateway.Invalid("maxBatchSize", "must be from 1 to %d", maxBatchSize)
	case in.BatchTimeout < 1 || in.BatchTimeout > maxBatchTimeout:
		return gateway.Invalid("batchTimeout", "must be from 1 to %d seconds", maxBatchTimeout)
	}
	for i, t := range in.Subscriptions {
		at := "subscriptions[" + strconv.Itoa(i) + "]"
		if !known(t.Type) {
			return gateway.Invalid(at+".type", "%q is no event", t.Type)
		}
		for _, by := range t.Filters {
			if by.Name != "channel" {
				return gateway.Invalid(at+".filters", "%q cannot be filtered by; channel can", by.Name)
			}
		}
	}
	kept := format{Topics: in.Subscriptions, Lists: batching{On: in.Batch, Size: in.MaxBatchSize, Timeout: in.BatchTimeout}}
	if len(kept.Topics) == 0 {
		for _, name := range slices.Sorted(maps.Keys(topicTypes)) {
			kept.Topics = append(kept.Topics, topic{Type: name})
		}
	}
	data, err := json.Marshal(kept)
	if err != nil {
		return err
	}
	s.Name, s.URL, s.FormatData = in.Name, in.URL, data
	if in.Secret != "" {
		s.Secrets = []gateway.SigningSecret{{Value: gateway.Secret(in.Secret)}}
	}
	return nil
}

func showWebhook(s *gateway.Subscription) *webhook {
	kept, err := formatOf(s.FormatData)
	if err != nil {
		kept = new(format) // it was bound, hence read, before
	}
	return &webhook{
		ID: s.ID, Name: s.Name, URL: s.URL, Batch: kept.Lists.On, MaxBatchSize: kept.Lists.Size, BatchTimeout: kept.Lists.Timeout, Subscriptions: kept.Topics,
		CreatedOn: gateway.FormatTime(s.CreatedAt), UpdatedOn: gateway.FormatTime(s.UpdatedAt),
	}
}

// tag is the ETag of a subscription: the moment of its last change.
func tag(s *gateway.Subscription) string {
	return `"` + strconv.FormatInt(s.UpdatedAt.UnixMilli(), 36) + `"`
}

func (q *request) replyWebhook(status int, s *gateway.Subscription, out *webhook) error {
	q.W.Header().Set("ETag", tag(s))
	return q.Reply(status, out)
}

// fresh checks If-Match.
func (q *request) fresh(s *gateway.Subscription) error {
	if given := strings.TrimSpace(q.Header.Get("If-Match")); given != "" && given != "*" && given != tag(s) {
		return gateway.Errorf(gateway.CodePreconditionFailed, "webhook %q has changed since it was read", s.ID)
	}
	return nil
}

// ours reports whether a subscription is a webhook of the api space.
func (q *request) ours(s *gateway.Subscription) bool {
	return s.Format == Dialect && len(s.Applications) == 1 && s.Applications[0] == q.space.Key
}

func (q *request) webhook() (*gateway.Subscription, error) {
	id := q.PathValue("id")
	s, err := q.f.o.Subscriptions.Get(q.Context(), q.Key, id)
	if gateway.CodeOf(err) == gateway.CodeNotFound || err == nil && !q.ours(s) {
		return nil, gateway.NotFound("webhook", id)
	}
	return s, err
}

func (f *Face) createWebhook(q *request) error {
	in, err := q.readWebhook()
	if err != nil {
		return err
	}
	s := &gateway.Subscription{Kind: gateway.KindForward, Format: Dialect, Applications: []string{q.space.Key}}
	if err := in.settle(s); err != nil {
		return err
	}
	if err := f.o.Subscriptions.Create(q.Context(), q.Key, s, ""); err != nil {
		return err
	}
	q.W.Header().Set("Location", "/apispaces/"+q.space.Key+"/webhooks/"+s.ID)
	out := showWebhook(s)
	out.Secret = s.Secrets[0].Value.Reveal()
	return q.replyWebhook(http.StatusCreated, s, out)
}

func (q *request) readWebhook() (*webhook, error) {
	body, err := q.Body()
	if err != nil {
		return nil, err
	}
	in := new(webhook)
	return in, decode(body, in)
}

func (f *Face) webhooks(q *request) error {
	all, err := f.o.Subscriptions.List(q.Context(), q.Key)
	if err != nil {
		return err
	}
	list := []*webhook{}
	for _, s := range all {
		if q.ours(s) {
			list = append(list, showWebhook(s))
		}
	}
	return q.Reply(http.StatusOK, list)
}

func (f *Face) getWebhook(q *request) error {
	s, err := q.webhook()
	if err != nil {
		return err
	}
	return q.replyWebhook(http.StatusOK, s, showWebhook(s))
}

// putWebhook replaces a webhook; its secret stays when none is given.
func (f *Face) putWebhook(q *request) error {
	in, err := q.readWebhook()
	if err != nil {
		return err
	}
	if _, err := q.webhook(); err != nil {
		return err
	}
	s, err := f.o.Subscriptions.Update(q.Context(), q.Key, q.PathValue("id"), func(s *gateway.Subscription) error {
		if err := q.fresh(s); err != nil {
			return err
		}
		before := s.Secrets
		if err := in.settle(s); err != nil || in.Secret == "" {
			return err
		}
		return f.o.Subscriptions.Adopt(s, before)
	})
	if err != nil {
		return err
	}
	return q.replyWebhook(http.StatusOK, s, showWebhook(s))
}

func (f *Face) deleteWebhook(q *request) error {
	s, err := q.webhook()
	if err != nil {
		return err
	}
	if err := q.fresh(s); err != nil {
		return err
	}
	if err := f.o.Subscriptions.Delete(q.Context(), q.Key, s.ID); err != nil {
		return err
	}
	return q.Done()
}
