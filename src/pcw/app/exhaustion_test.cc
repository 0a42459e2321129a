#include "pcw/app/exhaustion.h"

#include <new>
#include <stdexcept>
#include <system_error>
#include <thread>

#include <gmock/gmock.h>

namespace pcw::app {
namespace {

using ::testing::ExitedWithCode;

TEST(ExhaustionTest, WhatTheSystemRefusesIsNoDefect) {
  EXPECT_EQ(ReportException(std::bad_alloc()), 69);
  EXPECT_EQ(ReportException(
                std::system_error(std::make_error_code(std::errc::resource_unavailable_try_again))),
            69);
  EXPECT_EQ(ReportException(std::runtime_error("broken")), 70);
}

TEST(ExhaustionDeathTest, AnExceptionOnAnyThreadIsAnErrorAndNoAbort) {
  const auto end_with = [](auto problem) {
    InstallLastResort();
    std::jthread([problem] { throw problem; }).join();
  };
  EXPECT_EXIT(end_with(std::bad_alloc()), ExitedWithCode(69), "no more memory");
  EXPECT_EXIT(
      end_with(std::system_error(std::make_error_code(std::errc::resource_unavailable_try_again))),
      ExitedWithCode(69), "no more threads");
  EXPECT_EXIT(end_with(std::runtime_error("broken")), ExitedWithCode(70), "broken; please report");
}

}  // namespace
}  // namespace pcw::app
