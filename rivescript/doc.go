// Package rivescript is an engine for RiveScript 2.0, a language for bots that answer messages by
// patterns, and for the dialect of it in which Dexter's bots were written. It loads scripts,
// matches messages and makes replies; it does no input or output and knows no messenger.
//
//	b, _ := rivescript.NewBuilder(rivescript.Options{UTF8: true})
//	b.Add("hello.rive", "+ hello *\n- Hello, <formal>!")
//	e, _ := b.Build()
//	fmt.Println(e.Reply(ctx, &rivescript.User{ID: "ana"}, "Hello world").Text)
//
// An [Engine] does not change once it is built and serves any number of goroutines. What it knows
// of a person is a [User], which the caller keeps.
//
// # Speed
//
// A message is not held against every trigger. Triggers without wildcards are found by their text,
// the others by the rarest word that all they match must hold, and only those without such a word
// are tried each time. The order in which triggers win is that of a walk over all of them. Patterns
// are compiled when they are loaded; their matcher takes time that is bounded by the product of
// pattern and message, whatever the pattern.
//
// # What cannot happen
//
// No script, message or recursion crashes the engine or takes more than the [Budget]. What a person
// wrote, and what stands in their variables, never acts as a tag.
//
// # Dialects
//
// Both have: word counts as the engines on record make them ([*] counts as two words), Unicode
// boundaries of words, arrays and variables in triggers as text, one counter of depth for both
// kinds of redirects.
//
//	                              RiveScript                      Dexter
//	UTF-8                         an option                       always
//	punctuation that is stripped  . , ! ? ; :                     the same and apostrophes; "# punc nostrip" before a trigger keeps it
//	equal rank                    longer first, then the alphabet the order of the source
//	a bad trigger                 refuses the source              is left out with a warning
//	topics                        inherit what they say           fall back to default, which is random
//	arguments of <call>           split after tags are run        split before
//	numbers                       integers                        5/2 is 2.5; "7abc" is 7
//	<set _x=…>                    sets                            is ignored: such names are the platform's
//	<raw>, $ lines, ${{path}}     text, skipped with a warning    work
//	<send>, <delay>, ^buttons(…)  text                            text, and what [Reply.Messages] splits the reply at
//	an object without a language  JavaScript, with a warning      JavaScript
//
// Known differences from other engines, on purpose: substitutions never act inside words; a reply
// of weight N counts N times; <reply1> in a trigger is the bot's last reply; deep recursion answers
// the error alone; a tag that a person writes stays text.
//
// The language: https://www.rivescript.com/wd/RiveScript
package rivescript
