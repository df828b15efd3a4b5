#pragma once

// Semantic versioning (semver.org); what changed is in CHANGELOG.md.
#define REWIND_VERSION_MAJOR 0
#define REWIND_VERSION_MINOR 1
#define REWIND_VERSION_PATCH 0
#define REWIND_VERSION "0.1.0"
