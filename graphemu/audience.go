package graphemu

import (
	"encoding/json"
	"slices"

	"github.com/chasqui/chasqui/messenger"
)

// audience returns the people selected by labels and operators. The value is an id, or
// {"operator":"AND","values":[…]}.
func (page *pageState) audience(labels json.RawMessage) ([]*personState, *messenger.Error) {
	people := make([]*personState, 0, len(page.Order))
	for _, id := range page.Order {
		p := page.people[id]
		in, e := p.matches(page, labels, 0)
		if e != nil {
			return nil, e
		}
		if in {
			people = append(people, p)
		}
	}
	return people, nil
}

// matches reports whether labels and operators select the person.
func (p *personState) matches(page *pageState, labels json.RawMessage, depth int) (bool, *messenger.Error) {
	if len(labels) == 0 || string(labels) == "null" {
		return true, nil
	}
	var group struct {
		Operator string            `json:"operator"`
		Values   []json.RawMessage `json:"values"`
	}
	if labels[0] != '{' {
		l, i := findByID(page.Labels, params{"id": labels}.text("id"))
		if i < 0 {
			return false, refuse(100, 0, "(#100) Param custom_label_id must be a valid custom label ID")
		}
		return slices.Contains(l.People, p.ID), nil
	}
	if json.Unmarshal(labels, &group) != nil || depth > 10 || !slices.Contains([]string{"AND", "OR", "NOT"}, group.Operator) {
		return false, refuse(100, 0, "(#100) Param targeting must hold labels joined by the operators AND, OR and NOT")
	}
	every, some := true, false
	for _, v := range group.Values {
		in, e := p.matches(page, v, depth+1)
		if e != nil {
			return false, e
		}
		every, some = every && in, some || in
	}
	switch group.Operator {
	case "AND":
		return every, nil
	case "OR":
		return some, nil
	}
	return !some, nil
}
