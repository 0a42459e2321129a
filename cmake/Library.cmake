# pcw_library(NAME [DEPS dirs...] [LINKS targets...] SOURCES files... [TESTS files...])
# One directory of src/pcw is one static library pcw_<name>; DEPS repeats the table of scripts/check-layers, so a wrong
# dependency fails to link. TESTS are collected into the one unit-test executable of the preset, and into one of the
# library alone (tests/CMakeLists.txt).
function(pcw_library NAME)
  cmake_parse_arguments(ARG "" "" "DEPS;LINKS;SOURCES;TESTS" ${ARGN})
  add_library(pcw_${NAME} STATIC ${ARG_SOURCES})
  target_include_directories(pcw_${NAME} PUBLIC ${PROJECT_SOURCE_DIR}/src)
  set_property(GLOBAL APPEND PROPERTY PCW_LIBRARIES pcw_${NAME})
  foreach(DEP ${ARG_DEPS})
    target_link_libraries(pcw_${NAME} PUBLIC pcw_${DEP})
  endforeach()
  target_link_libraries(pcw_${NAME} PUBLIC ${ARG_LINKS})
  foreach(TEST ${ARG_TESTS})
    set_property(GLOBAL APPEND PROPERTY PCW_UNIT_TESTS ${CMAKE_CURRENT_SOURCE_DIR}/${TEST})
    set_property(GLOBAL APPEND PROPERTY PCW_UNIT_TESTS_OF_${NAME} ${CMAKE_CURRENT_SOURCE_DIR}/${TEST})
  endforeach()
endfunction()
