package console

import (
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/chasqui/chasqui/internal/gateway"
	"github.com/chasqui/chasqui/internal/service"
)

// fieldProblem is what is wrong with a form, by the field at fault; "" stands for no single one.
type fieldProblem struct{ field, message string }

// problems reads from an error what is wrong with the input; nil when the error says nothing about
// it.
func problems(err error) *fieldProblem {
	var e *gateway.Error
	if !errors.As(err, &e) || e.Code != gateway.CodeInvalidRequest && e.Code != gateway.CodeConflict {
		return nil
	}
	return &fieldProblem{e.Field, sentence(e.Message)}
}

// sentence begins with a capital and ends with a full stop.
func sentence(s string) string {
	if s == "" {
		return s
	}
	s = strings.ToUpper(s[:1]) + s[1:]
	if !strings.HasSuffix(s, ".") {
		s += "."
	}
	return s
}

// For is what is wrong with a field; empty when nothing is.
func (p *fieldProblem) For(field string) string {
	if p == nil || p.field != field {
		return ""
	}
	return p.message
}

// Any is the message, whichever field it is for.
func (p *fieldProblem) Any() string {
	if p == nil {
		return ""
	}
	return p.message
}

// pointForm is an entry point as it is typed in.
type pointForm struct {
	url.Values
	Applications, Kinds []choice
	Problem             *fieldProblem
}

// minutes is the form of a time in a field of a form, in UTC.
const minutes = "2006-01-02T15:04"

// parsed reads the fields that can be wrong by themselves.
func (f pointForm) parsed() (e gateway.EntryPoint, err error) {
	text := func(name string) string { return strings.TrimSpace(f.Get(name)) }
	e = gateway.EntryPoint{
		Application: f.Get("application"), Kind: gateway.EntryPointKind(f.Get("kind")), Ref: text("ref"), Name: text("name"), Campaign: text("campaign"),
		Tags: tags(f.Get("tags")), Prefill: strings.ReplaceAll(text("text"), "\r\n", "\n"),
	}
	if at := f.Get("expiresAt"); at != "" {
		if e.ExpiresAt, err = time.Parse(minutes, at); err != nil {
			return e, gateway.Invalid("expiresAt", "%.40q is not a time such as 2027-01-31T12:00", at)
		}
	}
	return e, nil
}

// tags reads words with commas between.
func tags(text string) (all []string) {
	for word := range strings.SplitSeq(text, ",") {
		if word = strings.TrimSpace(word); word != "" {
			all = append(all, word)
		}
	}
	return all
}

func (c *Console) showForm(v *visit, page, title string, status int, values url.Values, problem *fieldProblem) error {
	if values.Get("kind") == "" {
		values.Set("kind", string(gateway.EntryCode))
	}
	c.render(v, status, page, layout{Title: title, Tab: page}, pointForm{values, c.applications(v.key, values.Get("application")), kinds(values.Get("kind")), problem})
	return nil
}

func (c *Console) newForm(v *visit) error {
	return c.showForm(v, "new", "New code or link", http.StatusOK, v.URL.Query(), nil)
}

func (c *Console) manyForm(v *visit) error {
	return c.showForm(v, "many", "Many at once", http.StatusOK, v.URL.Query(), nil)
}

func (c *Console) create(v *visit) error {
	e, err := pointForm{Values: v.PostForm}.parsed()
	if err == nil {
		err = c.o.EntryPoints.Create(v.Context(), v.key, &e)
	}
	if p := problems(err); p != nil {
		return c.showForm(v, "new", "New code or link", http.StatusUnprocessableEntity, v.PostForm, p)
	}
	if err != nil {
		return err
	}
	return v.to(home + "/" + e.ID + "?done=made")
}

func (c *Console) createMany(v *visit) error {
	e, err := pointForm{Values: v.PostForm}.parsed()
	var from, to int
	if err == nil {
		from, err = whole(v.PostForm, "from")
	}
	if err == nil {
		to, err = whole(v.PostForm, "to")
	}
	var made []*gateway.EntryPoint
	if err == nil {
		made, err = c.o.EntryPoints.CreateMany(v.Context(), v.key, e, from, to)
	}
	if p := problems(err); p != nil {
		return c.showForm(v, "many", "Many at once", http.StatusUnprocessableEntity, v.PostForm, p)
	}
	if err != nil {
		return err
	}
	return v.to(home + "?" + url.Values{"application": {e.Application}, "done": {"many"}, "n": {strconv.Itoa(len(made))}}.Encode())
}

func whole(values url.Values, name string) (int, error) {
	n, err := strconv.Atoi(strings.TrimSpace(values.Get(name)))
	if err != nil {
		return 0, gateway.Invalid(name, "give a whole number")
	}
	return n, nil
}

// to sends the browser on after a form.
func (v *visit) to(address string) error {
	http.Redirect(v.w, v.Request, address, http.StatusSeeOther)
	return nil
}

func (c *Console) change(v *visit) error {
	e, err := c.o.EntryPoints.Get(v.Context(), v.key, v.PathValue("id"))
	if err != nil {
		return err
	}
	in, err := pointForm{Values: v.PostForm}.parsed()
	if err == nil {
		change := service.EntryPointChange{Name: &in.Name, Campaign: &in.Campaign, Prefill: &in.Prefill, Tags: &in.Tags}
		if v.PostForm.Get("expiresAt") != editable(e).Get("expiresAt") { // one that is over may stay
			change.ExpiresAt = &in.ExpiresAt
		}
		_, err = c.o.EntryPoints.Update(v.Context(), v.key, e.ID, change)
	}
	if p := problems(err); p != nil {
		return c.showPoint(v, http.StatusUnprocessableEntity, e, v.PostForm, p)
	}
	if err != nil {
		return err
	}
	return v.to(home + "/" + e.ID + "?done=changed")
}

// editable are the fields of an entry point that a form can change.
func editable(e *gateway.EntryPoint) url.Values {
	values := url.Values{"name": {e.Name}, "campaign": {e.Campaign}, "tags": {strings.Join(e.Tags, ", ")}, "text": {e.Prefill}}
	if !e.ExpiresAt.IsZero() {
		values.Set("expiresAt", e.ExpiresAt.UTC().Format(minutes))
	}
	return values
}

func (c *Console) retireForm(v *visit) error {
	e, err := c.o.EntryPoints.Get(v.Context(), v.key, v.PathValue("id"))
	if err != nil {
		return err
	}
	i := c.item(e)
	c.render(v, http.StatusOK, "retire", layout{Title: "Retire " + i.Title(), Tab: "list"}, i)
	return nil
}

func (c *Console) retire(v *visit) error  { return c.setRetired(v, true, "retired") }
func (c *Console) restore(v *visit) error { return c.setRetired(v, false, "restored") }

func (c *Console) setRetired(v *visit, retired bool, word string) error {
	e, err := c.o.EntryPoints.Update(v.Context(), v.key, v.PathValue("id"), service.EntryPointChange{Retired: &retired})
	if err != nil {
		return err
	}
	return v.to(home + "/" + e.ID + "?done=" + word)
}
