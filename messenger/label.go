package messenger

import (
	"context"
	"encoding/json"
	"iter"
	"net/http"
)

// Label is a mark of a page's own on people.
type Label struct {
	ID   string
	Name string
}

// UnmarshalJSON reads a label; its name stands in page_label_name since v12.0
// and in name before.
func (l *Label) UnmarshalJSON(b []byte) error {
	var wire struct {
		ID       PSID   `json:"id"`
		Name     string `json:"name"`
		PageName string `json:"page_label_name"`
	}
	if err := json.Unmarshal(b, &wire); err != nil {
		return err
	}
	*l = Label{ID: string(wire.ID), Name: wire.Name}
	if l.Name == "" {
		l.Name = wire.PageName
	}
	return nil
}

// labelName is the field that a label's name has in the client's version.
func (c *Client) labelName() string {
	if c.since("v12.0") {
		return "page_label_name"
	}
	return "name"
}

// CreateLabel makes a label and returns its id.
//
// Docs: https://developers.facebook.com/docs/messenger-platform/identity/custom-labels
func (c *Client) CreateLabel(ctx context.Context, name string) (string, error) {
	answer, err := post[created](ctx, c, "me/custom_labels", map[string]string{c.labelName(): name})
	return answer.ID, err
}

type labelledUser struct {
	User PSID `json:"user"`
}

// AssociateLabel puts a label on a person.
//
// Docs: https://developers.facebook.com/docs/messenger-platform/identity/custom-labels
func (c *Client) AssociateLabel(ctx context.Context, labelID string, psid PSID) error {
	return c.Do(ctx, http.MethodPost, nodePath(labelID, "label"), nil, labelledUser{psid}, nil)
}

// DissociateLabel removes a label from a person.
//
// Docs: https://developers.facebook.com/docs/messenger-platform/identity/custom-labels
func (c *Client) DissociateLabel(ctx context.Context, labelID string, psid PSID) error {
	return c.Do(ctx, http.MethodDelete, nodePath(labelID, "label"), nil, labelledUser{psid}, nil)
}

// Label reads one label, with its name unless other fields are asked for.
//
// Docs: https://developers.facebook.com/docs/messenger-platform/identity/custom-labels
func (c *Client) Label(ctx context.Context, id string, fields ...string) (Label, error) {
	return get[Label](ctx, c, nodePath(id, ""), ListOptions{Fields: fields}.query(c.labelName()))
}

// ListLabels returns one page of the labels of the token's page.
//
// Docs: https://developers.facebook.com/docs/messenger-platform/identity/custom-labels
func (c *Client) ListLabels(ctx context.Context, opts ListOptions) (List[Label], error) {
	return get[List[Label]](ctx, c, "me/custom_labels", opts.query(c.labelName()))
}

// AllLabels walks the labels of the token's page. It stops at the first error.
//
// Docs: https://developers.facebook.com/docs/messenger-platform/identity/custom-labels
func (c *Client) AllLabels(ctx context.Context, opts ListOptions) iter.Seq2[Label, error] {
	return all[Label](ctx, c, "me/custom_labels", opts.query(c.labelName()))
}

// ListPersonLabels returns one page of the labels of a person.
//
// Docs: https://developers.facebook.com/docs/messenger-platform/identity/custom-labels
func (c *Client) ListPersonLabels(ctx context.Context, psid PSID, opts ListOptions) (List[Label], error) {
	return get[List[Label]](ctx, c, nodePath(psid, "custom_labels"), opts.query(c.labelName()))
}

// AllPersonLabels walks the labels of a person. It stops at the first error.
//
// Docs: https://developers.facebook.com/docs/messenger-platform/identity/custom-labels
func (c *Client) AllPersonLabels(ctx context.Context, psid PSID, opts ListOptions) iter.Seq2[Label, error] {
	return all[Label](ctx, c, nodePath(psid, "custom_labels"), opts.query(c.labelName()))
}

// DeleteLabel removes a label, from everybody who has it.
//
// Docs: https://developers.facebook.com/docs/messenger-platform/identity/custom-labels
func (c *Client) DeleteLabel(ctx context.Context, id string) error {
	return c.Do(ctx, http.MethodDelete, nodePath(id, ""), nil, nil, nil)
}
