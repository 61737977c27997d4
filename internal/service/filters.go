package service

import "github.com/chasqui/chasqui/internal/store"

// What lists are narrowed by, for the faces.
type (
	MessageFilter = store.MessageFilter
	ProfileFilter = store.ProfileFilter
)
