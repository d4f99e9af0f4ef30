package io.sirocco.convert;

import java.nio.file.Path;
import java.util.List;

/**
 * What a conversion has made.
 *
 * @param folder the result
 * @param files of weights
 * @param bytes of all tensors
 * @param resumedBytes of those, found complete from an earlier run
 * @param notes what deserves a look, for people
 */
public record ConversionReport(
    Path folder, int files, long bytes, long resumedBytes, List<String> notes) {

  public ConversionReport {
    notes = List.copyOf(notes);
  }
}
