package bot

import "errors"

// Why a commit is undone.
var (
	errAgain = errors.New("what the bot knows has changed meanwhile")
	errDone  = errors.New("this was said already")
)
