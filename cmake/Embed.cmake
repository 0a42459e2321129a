# pcw_embed(TARGET NAMESPACE SYMBOL FILES...) - compiles text files into TARGET as
# `const std::vector<std::pair<std::string_view, std::string_view>>& NAMESPACE::SYMBOL()` (file name, content),
# so that the one binary needs no data directory at run time.
function(pcw_embed TARGET NAMESPACE SYMBOL)
  set(OUT ${CMAKE_CURRENT_BINARY_DIR}/embed_${SYMBOL}.cc)
  add_custom_command(
    OUTPUT ${OUT}
    COMMAND ${CMAKE_COMMAND} -DOUT=${OUT} -DNAMESPACE=${NAMESPACE} -DSYMBOL=${SYMBOL} "-DFILES=${ARGN}"
            -P ${PROJECT_SOURCE_DIR}/cmake/EmbedFiles.cmake
    DEPENDS ${ARGN} ${PROJECT_SOURCE_DIR}/cmake/EmbedFiles.cmake
    VERBATIM)
  target_sources(${TARGET} PRIVATE ${OUT})
endfunction()
