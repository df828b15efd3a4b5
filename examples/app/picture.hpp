#pragma once

#include <string>
#include <vector>

#include "examples/app/plot.hpp"
#include "examples/app/program.hpp"

namespace app {

/// Adds --picture, a file for `what`, '' for none. A name that plot::draw() could not write is misuse: told before the
/// work, not after it.
void add_picture(CLI::App& flags, std::string& path, const std::string& what);

/// Draws panels, the first on top, into `path` and says so; nothing where it is empty. A picture that cannot be drawn
/// costs no more than itself: a line on standard error tells why.
void draw(const Common& common, const std::string& path, const std::vector<plot::Panel>& panels);

}  // namespace app
