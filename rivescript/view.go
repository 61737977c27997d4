package rivescript

// view is a topic as a person in it meets it: its triggers, those it includes and those it
// inherits, in the order in which they are tried.
type view struct {
	plain    []ranked // without %
	after    []ranked // with %
	ix       *index   // of plain, by message
	keep     *index   // of those plain ones that want the punctuation; nil when there are none
	afterIx  *index   // of after, by the bot's last reply
	squashed map[string]int32
}

// newView collects and orders the triggers of a topic; nil when there are more than there is room
// for.
func newView(s *script, name string, d Dialect, depth int, array func(string) []string, room *int) *view {
	v := &view{squashed: map[string]int32{}}
	var list []ranked
	collect(s, name, d, 0, depth, map[string]bool{}, func(t *topic, level int) {
		if *room -= len(t.triggers); *room < 0 {
			return
		}
		for _, trigger := range t.triggers {
			list = append(list, ranked{trigger: trigger, level: level, key: keyOf(trigger, level), seq: len(list)})
		}
	})
	if *room < 0 {
		return nil
	}
	sortTriggers(list, d)
	for _, r := range list {
		if r.previous != "" {
			v.after = append(v.after, r)
		} else {
			v.plain = append(v.plain, r)
		}
	}
	patterns, kept, before := make([]*pattern, len(v.plain)), make([]*pattern, len(v.plain)), make([]*pattern, len(v.after))
	some := false
	for i, r := range v.plain {
		if r.keep {
			kept[i], some = r.pattern, true
		} else {
			patterns[i] = r.pattern
		}
		if text := squash(r.text); text != r.text && literal(text) {
			if _, taken := v.squashed[text]; !taken {
				v.squashed[text] = int32(i)
			}
		}
	}
	for i, r := range v.after {
		before[i] = r.before
	}
	v.ix, v.afterIx = newIndex(patterns, array, room), newIndex(before, array, room)
	if some {
		v.keep = newIndex(kept, array, room)
	}
	if *room < 0 {
		return nil
	}
	return v
}

// literal reports whether a squashed trigger is nothing but text.
func literal(text string) bool {
	for _, r := range text {
		switch r {
		case '*', '#', '(', '[', '<', '@', '{':
			return false
		}
	}
	return text != ""
}

// collect visits a topic and what it includes at one level, then what these inherit at the next.
// Each topic is visited once, at the lowest level it is found on.
func collect(s *script, name string, d Dialect, level, depth int, seen map[string]bool, visit func(t *topic, level int)) {
	here := []string{name}
	for level <= depth && len(here) > 0 {
		var next []string
		known := map[string]bool{}
		for _, name := range here {
			known[name] = true
		}
		for i := 0; i < len(here); i++ {
			t := s.topics[here[i]]
			if t == nil || seen[here[i]] {
				continue
			}
			seen[here[i]] = true
			visit(t, level)
			for _, included := range t.includes {
				if !known[included] {
					known[included] = true
					here = append(here, included)
				}
			}
			next = append(next, t.inherits...)
			if d == Dexter && t.name != topicRandom && t.name != topicBegin && len(t.inherits) == 0 {
				next = append(next, topicRandom)
			}
		}
		here, level = next, level+1
	}
}
