// Variables that Kubernetes and Docker put into a process for services that happen to be named pcw.
#pragma once

#include <string_view>

namespace pcw::config {

/// True for what a service named pcw or pcw-something injects: a PCW_* name that ends in
/// _SERVICE_HOST, _SERVICE_PORT (with the name of a port perhaps), _PORT with a value
/// "proto://...", or _PORT_<number>_<protocol> with what follows.
bool IsServiceLink(std::string_view name, std::string_view value);

}  // namespace pcw::config
