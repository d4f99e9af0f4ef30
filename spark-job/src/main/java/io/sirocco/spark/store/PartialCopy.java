package io.sirocco.spark.store;

import io.sirocco.checkpoint.ModelException;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * A model on its way into the cache: files of their full size, with holes where nothing has been
 * fetched yet, and a journal of the ranges that are safe.
 *
 * @param folder of the partial copy
 * @param manifest of the model
 */
record PartialCopy(Path folder, ModelManifest manifest) {
  private static final String FILES = "files";
  private static final String JOURNAL = "journal";

  /** A part of a file that is not here yet. */
  record Gap(ModelFile file, long offset, long size) {}

  Path files() {
    return folder.resolve(FILES);
  }

  Path file(ModelFile file) {
    return files().resolve(file.name());
  }

  Path journal() {
    return journal(folder);
  }

  private static Path journal(Path folder) {
    return folder.resolve(JOURNAL);
  }

  /** What the journal of any partial copy counts. */
  static long journaledBytes(Path folder) throws IOException {
    return Journal.read(journal(folder)).stream().mapToLong(FetchedRange::size).sum();
  }

  /** Makes the folder known, with the space that it is going to need. */
  void reserve() throws IOException {
    Files.createDirectories(files());
    CopyRecord.expected(manifest).write(folder);
  }

  /** Gives all files their sizes. */
  void makeFiles() throws IOException {
    for (ModelFile file : manifest.files()) {
      Files.createDirectories(file(file).getParent());
      try (RandomAccessFile made = new RandomAccessFile(file(file).toFile(), "rw")) {
        made.setLength(file.size());
      }
    }
  }

  /** Gives all files the times of their content: fetched again, they are the same weights. */
  void setContentTimes() throws IOException {
    for (ModelFile file : manifest.files()) {
      file.setContentTime(file(file));
    }
  }

  /** The journal's ranges whose bytes are what it says. */
  List<FetchedRange> safeRanges() throws IOException {
    Map<String, ModelFile> byName = new HashMap<>();
    manifest.files().forEach(file -> byName.put(file.name(), file));
    List<FetchedRange> journaled = new ArrayList<>(Journal.read(journal()));
    journaled.sort(Comparator.comparing(FetchedRange::file).thenComparing(FetchedRange::offset));
    List<FetchedRange> safe = new ArrayList<>();
    String at = "";
    long end = 0;
    for (FetchedRange range : journaled) {
      ModelFile file = byName.get(range.file());
      end = range.file().equals(at) ? end : 0;
      at = range.file();
      boolean fits =
          file != null && range.offset() >= end && range.size() <= file.size() - range.offset();
      if (fits && range.crc() == crc(file, range)) {
        safe.add(range);
        end = range.end();
      }
    }
    return safe;
  }

  private int crc(ModelFile file, FetchedRange range) throws IOException {
    try (FileChannel channel = FileChannel.open(file(file), StandardOpenOption.READ)) {
      return CopyRecord.crc(channel, CrcKind.of(file), range.offset(), range.size());
    }
  }

  /** What is missing beside these ranges, in pieces of at most {@code most} bytes. */
  List<Gap> gaps(List<FetchedRange> safe, long most) {
    List<Gap> gaps = new ArrayList<>();
    for (ModelFile file : manifest.files()) {
      long at = 0;
      for (FetchedRange range : of(file, safe)) {
        cut(file, at, range.offset(), most, gaps);
        at = range.end();
      }
      cut(file, at, file.size(), most, gaps);
    }
    return gaps;
  }

  private static void cut(ModelFile file, long from, long to, long most, List<Gap> gaps) {
    for (long at = from; at < to; at += most) {
      gaps.add(new Gap(file, at, Math.min(most, to - at)));
    }
  }

  private static List<FetchedRange> of(ModelFile file, List<FetchedRange> ranges) {
    return ranges.stream()
        .filter(range -> range.file().equals(file.name()))
        .sorted(Comparator.comparing(FetchedRange::offset))
        .toList();
  }

  /**
   * Checks that the ranges are all of the model and have the checksums that its file system and its
   * publisher give.
   *
   * @throws ModelException if not
   */
  CopyRecord verified(List<FetchedRange> ranges) throws IOException {
    List<CopyRecord.CopiedFile> copied = new ArrayList<>();
    for (ModelFile file : manifest.files()) {
      String where = manifest.source() + "/" + file.name();
      CrcKind kind = CrcKind.of(file);
      int crc = (int) kind.start().getValue();
      long end = 0;
      for (FetchedRange range : of(file, ranges)) {
        if (range.offset() != end) {
          throw new IllegalStateException(where + ": no byte " + end + " in " + ranges);
        }
        crc = end == 0 ? range.crc() : kind.join(crc, range.crc(), range.size());
        end = range.end();
      }
      String found = kind.spell(crc);
      if (kind.computes(file.checksum()) && !file.checksum().equals(found)) {
        throw new ModelException(
            where,
            "arrived with the checksum "
                + found
                + ", its file system has "
                + file.checksum()
                + "; nothing of it is kept, run the job again");
      }
      if (!file.sha256().isEmpty()) {
        Sha256Sums.require(where, file.sha256(), Digests.sha256(file(file)));
      }
      copied.add(new CopyRecord.CopiedFile(file.name(), file.size(), found));
    }
    return new CopyRecord(manifest.source(), copied);
  }
}
