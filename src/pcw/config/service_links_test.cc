#include "pcw/config/service_links.h"

#include <gtest/gtest.h>

namespace pcw::config {
namespace {

TEST(IsServiceLinkTest, WhatKubernetesAndDockerInject) {
  for (const char* name :
       {"PCW_SERVICE_HOST", "PCW_SERVICE_PORT", "PCW_SERVICE_PORT_HTTP", "PCW_PORT_80_TCP",
        "PCW_PORT_80_TCP_ADDR", "PCW_PORT_80_TCP_PORT", "PCW_PORT_80_TCP_PROTO",
        "PCW_API_SERVICE_HOST", "PCW_API_V2_SERVICE_PORT_METRICS", "PCW_API_PORT_53_UDP",
        "PCW_API_PORT_9_SCTP_ADDR"})
    EXPECT_TRUE(IsServiceLink(name, "10.0.0.1")) << name;
  EXPECT_TRUE(IsServiceLink("PCW_PORT", "tcp://10.96.0.9:80"));
  EXPECT_TRUE(IsServiceLink("PCW_API_PORT", "udp://10.96.0.9:53"));
}

TEST(IsServiceLinkTest, NothingElse) {
  for (const char* name :
       {"PCW_PORT", "PCW_API_PORT", "PCW_SERVICE_HOSTS", "PCW_SERVICE_WORKER", "PCW_PORT_http_TCP",
        "PCW_PORT_80_HTTP", "PCW_HOST", "AWS_PORT_80_TCP", "PCW_SERVICE_PORTS"})
    EXPECT_FALSE(IsServiceLink(name, "8080")) << name;
}

}  // namespace
}  // namespace pcw::config
