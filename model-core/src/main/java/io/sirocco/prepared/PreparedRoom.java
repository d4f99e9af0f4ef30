package io.sirocco.prepared;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** Sees to it that prepared weights find room where they are kept. Safe for concurrent use. */
public interface PreparedRoom {
  /** As much as the disk has; nothing is removed. */
  PreparedRoom DISK =
      new PreparedRoom() {
        @Override
        public boolean has(PreparedPlace place, long bytes) throws IOException {
          Path there = place.root().toAbsolutePath();
          while (!Files.exists(there) && there.getParent() != null) {
            there = there.getParent();
          }
          if (!Files.isWritable(there)) {
            throw new IOException(there + " cannot be written to");
          }
          return Files.getFileStore(there).getUsableSpace() > bytes - place.bytes();
        }

        @Override
        public void reserve(PreparedPlace place, long bytes) {
          // A disk that is too small is said when it is full.
        }
      };

  /**
   * Whether {@link #reserve} would find room for them now.
   *
   * @param bytes that the place has when all are there
   * @throws IOException if nothing can be kept there, however much room there is
   * @throws io.sirocco.checkpoint.ModelException likewise
   */
  boolean has(PreparedPlace place, long bytes) throws IOException;

  /**
   * Makes room; the caller has the place open, and keeps it open while it fills it.
   *
   * @param bytes as of {@link #has}; what is there already counts
   * @throws io.sirocco.checkpoint.ModelException if there is not enough room, whatever is removed
   */
  void reserve(PreparedPlace place, long bytes);
}
