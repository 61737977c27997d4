package messenger

import (
	"context"
	"encoding/json"
	"iter"
	"net/http"
)

// Persona is another name and picture that a page can speak with.
type Persona struct {
	ID                string `json:"id,omitempty"`
	Name              string `json:"name,omitempty"`                // up to 50 characters
	ProfilePictureURL string `json:"profile_picture_url,omitempty"` // up to 8 MB
}

// UnmarshalJSON accepts the id as a string and as a number.
func (p *Persona) UnmarshalJSON(b []byte) error {
	type plain Persona
	var wire struct {
		plain
		ID PSID `json:"id"`
	}
	if err := json.Unmarshal(b, &wire); err != nil {
		return err
	}
	*p = Persona(wire.plain)
	p.ID = string(wire.ID)
	return nil
}

// CreatePersona makes a persona with a name and a picture, and returns its id,
// which goes into [SendRequest].PersonaID.
//
// Docs: https://developers.facebook.com/docs/messenger-platform/send-messages/personas
func (c *Client) CreatePersona(ctx context.Context, p Persona) (string, error) {
	if err := c.check(http.MethodPost, "me/personas", p.check); err != nil {
		return "", err
	}
	answer, err := post[created](ctx, c, "me/personas", p)
	return answer.ID, err
}

// Persona reads one persona.
//
// Docs: https://developers.facebook.com/docs/messenger-platform/send-messages/personas
func (c *Client) Persona(ctx context.Context, id string) (Persona, error) {
	return get[Persona](ctx, c, nodePath(id, ""), nil)
}

// ListPersonas returns one page of the personas of the token's page.
//
// Docs: https://developers.facebook.com/docs/messenger-platform/send-messages/personas
func (c *Client) ListPersonas(ctx context.Context, opts ListOptions) (List[Persona], error) {
	return get[List[Persona]](ctx, c, "me/personas", opts.query())
}

// AllPersonas walks the personas of the token's page, asking for page after page
// until there is none. It stops at the first error.
//
// Docs: https://developers.facebook.com/docs/messenger-platform/send-messages/personas
func (c *Client) AllPersonas(ctx context.Context, opts ListOptions) iter.Seq2[Persona, error] {
	return all[Persona](ctx, c, "me/personas", opts.query())
}

// DeletePersona removes a persona. Messages that were sent with it keep its name.
//
// Docs: https://developers.facebook.com/docs/messenger-platform/send-messages/personas
func (c *Client) DeletePersona(ctx context.Context, id string) error {
	return c.Do(ctx, http.MethodDelete, nodePath(id, ""), nil, nil, nil)
}
