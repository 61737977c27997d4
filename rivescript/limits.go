package rivescript

import "fmt"

// What a script may hold. What is more is refused when it is read, so that no script takes more
// memory or time than these say, whoever wrote it.
const (
	maxTriggerText = 16 << 10  // bytes of a + or % line
	maxLine        = 64 << 10  // bytes of any other line with those that continue it, and of an object
	maxArrayText   = 1 << 20   // bytes of a ! array with the lines that continue it
	maxCommands    = 500_000   // lines of all files together
	maxTriggers    = 100_000   // of all files together
	maxObjects     = 1_000     // macros
	maxTopics      = 10_000    //
	maxTies        = 1_000     // topics that one topic includes and inherits
	maxPhrase      = 1_000     // bytes of what a substitution puts in
	maxPhrases     = 256 << 10 // bytes of all that is to be substituted
	maxViews       = 1_000_000 // triggers of all topics, those that they include and inherit counted for each
	maxNodes       = 2_000_000 // parts of all triggers: words between signs, wildcards, options
	maxProblems    = 1_000     // that are told of one file
	maxLooks       = 1_000_000 // triggers that are looked for by Check
	maxShared      = 1 << 20   // bytes of the bot's variables that are set while it talks
	maxSeen        = 4 << 20   // bytes that matching one trigger with one message may take
	keptSeen       = 256 << 10 // bytes that are kept for the next
)

// The limits of a script, for programs that show them.
const (
	MaxTriggers    = maxTriggers
	MaxTriggerText = maxTriggerText
	MaxLine        = maxLine
)

// size says why a command is refused; empty when it is not.
func (c *command) size() string {
	n, most := len(c.text), maxLine
	switch c.op {
	case '+', '%':
		most = maxTriggerText
	case '!':
		most = maxArrayText
	}
	if n <= most {
		return ""
	}
	return fmt.Sprintf("the line has %d bytes with those that continue it; at most %d are allowed", n, most)
}

// count refuses what makes a script too large, once.
func (p *parser) count(line int, n *int, most int, what string) bool {
	if *n++; *n <= most {
		return true
	}
	if !p.full {
		p.full = true
		p.refuse(line, fmt.Sprintf("the script has more than %d %s", most, what))
	}
	return false
}
