// What the process ends with when it cannot go on: an error with a message, never an abort.
#pragma once

#include <exception>

namespace pcw::app {

/// Writes what happened to standard error and gives the exit code. Memory or threads that the
/// system refuses are not pcw's fault: 69, with the limit to raise. Anything else is 70, to be
/// reported. Allocates nothing.
int ReportException(const std::exception& problem);

/// From now on an exception that nobody catches, on whatever thread, ends the process that way.
void InstallLastResort();

}  // namespace pcw::app
