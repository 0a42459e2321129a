# The manual page and the shell completions: the binary prints them, so they are made when it is built and only copied
# when it is installed. A binary for another machine cannot run here; its package does without them.
include(GNUInstallDirs)
if(NOT PCW_MANUAL OR CMAKE_CROSSCOMPILING)
  return()
endif()

set(MANUAL_DIR ${CMAKE_BINARY_DIR}/manual)
file(MAKE_DIRECTORY ${MANUAL_DIR})
set(MANUAL_FILES)

# pcw_printed(FILE DESTINATION ARGUMENTS...): FILE holds what `pcw ARGUMENTS` prints and goes to DESTINATION. Written
# beside its place first, so that a failure leaves no half a file that looks made.
function(pcw_printed FILE DESTINATION)
  add_custom_command(
    OUTPUT ${MANUAL_DIR}/${FILE}
    COMMAND $<TARGET_FILE:pcw> ${ARGN} > ${MANUAL_DIR}/${FILE}.new
    COMMAND ${CMAKE_COMMAND} -E rename ${MANUAL_DIR}/${FILE}.new ${MANUAL_DIR}/${FILE}
    DEPENDS pcw
    VERBATIM)
  set(MANUAL_FILES ${MANUAL_FILES} ${MANUAL_DIR}/${FILE} PARENT_SCOPE)
  if(DESTINATION)
    install(FILES ${MANUAL_DIR}/${FILE} DESTINATION ${DESTINATION})
  endif()
endfunction()

pcw_printed(pcw.1 "" man)
pcw_printed(pcw ${CMAKE_INSTALL_DATADIR}/bash-completion/completions completion bash)
pcw_printed(_pcw ${CMAKE_INSTALL_DATADIR}/zsh/vendor-completions completion zsh)
pcw_printed(pcw.fish ${CMAKE_INSTALL_DATADIR}/fish/vendor_completions.d completion fish)

find_program(GZIP gzip REQUIRED)
add_custom_command(
  OUTPUT ${MANUAL_DIR}/pcw.1.gz
  COMMAND ${GZIP} -9nkf ${MANUAL_DIR}/pcw.1
  DEPENDS ${MANUAL_DIR}/pcw.1
  VERBATIM)
install(FILES ${MANUAL_DIR}/pcw.1.gz DESTINATION ${CMAKE_INSTALL_MANDIR}/man1)
add_custom_target(pcw_manual ALL DEPENDS ${MANUAL_FILES} ${MANUAL_DIR}/pcw.1.gz)
