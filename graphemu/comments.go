package graphemu

import (
	"errors"
	"time"
)

// comment is a comment under a post of the page, or the post itself.
type comment struct {
	ID       string    `json:"id"`
	Post     string    `json:"post"`
	PSID     string    `json:"psid"`
	Text     string    `json:"text"`
	IsPost   bool      `json:"is_post,omitempty"`
	At       time.Time `json:"at"`
	Answered bool      `json:"answered,omitempty"`
}

// comment adds a comment or a post of the person.
func (t turn) comment(a CommentAction) (ActionResult, error) {
	if a.Text == "" {
		return ActionResult{}, errors.New("a comment needs a text")
	}
	n := t.ids.next()
	c := &comment{Post: a.Post, PSID: t.p.ID, Text: a.Text, IsPost: a.Post == "", At: t.clock.now()}
	if c.IsPost {
		c.Post = t.page.ID + "_" + t.ids.id("post", n, 15)
		c.ID = c.Post
	} else {
		c.ID = digits(c.Post) + "_" + t.ids.id("comment", n, 15)
	}
	t.page.Comments = append(t.page.Comments, c)
	t.nodes[c.ID] = nodeRef{"comment", t.page.ID}
	value := map[string]any{
		"item": "comment", "verb": "add", "comment_id": c.ID, "post_id": c.Post, "parent_id": c.Post,
		"from": map[string]string{"id": t.p.ID, "name": t.p.Name()}, "created_time": c.At.Unix(), "message": c.Text,
	}
	if c.IsPost {
		value["item"] = "post"
		delete(value, "comment_id")
		delete(value, "parent_id")
	}
	e := t.emitChange(t.page, t.p, "feed", "", value)
	return ActionResult{EventID: e.id, ID: c.ID}, nil
}
