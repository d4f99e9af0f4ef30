package io.sirocco.prepared;

import io.sirocco.checkpoint.ModelException;
import java.io.IOException;
import java.nio.channels.ClosedByInterruptException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.FileLockInterruptionException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.BasicFileAttributes;
import java.nio.file.attribute.FileTime;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Prepared weights in files, one for each, which all processes of the host map. A file is complete
 * when it appears and never changes; who comes while it is made waits. What an interrupted process
 * leaves is overwritten by the next. Nobody who respects {@link PreparedPlace#useLock} removes them
 * before this is closed.
 */
public final class PreparedFolder implements PreparedWeights {
  private static final Logger LOG = LoggerFactory.getLogger(PreparedFolder.class);

  /** File locks are held by a JVM as a whole, so its threads need one of their own. */
  private static final Object MAKING = new Object();

  /** Files that this JVM has made, or whose checksums it has computed. */
  private static final Set<Seen> VERIFIED = ConcurrentHashMap.newKeySet();

  private final PreparedPlace place;
  private final Keeping keeping;
  private final long whole;
  private final HostLock use;
  private final Map<String, Long> asked = new HashMap<>();
  private long reserved;
  private long madeBytes;
  private long madeNanos;

  /** A file as it was: another may come to have its name. */
  private record Seen(Path path, Optional<Object> key, FileTime modified) {
    static Seen of(Path path) throws IOException {
      BasicFileAttributes now = Files.readAttributes(path, BasicFileAttributes.class);
      return new Seen(path, Optional.ofNullable(now.fileKey()), now.lastModifiedTime());
    }
  }

  private PreparedFolder(PreparedPlace place, Keeping keeping, long whole, HostLock use) {
    this.place = place;
    this.keeping = keeping;
    this.whole = whole;
    this.use = use;
  }

  /**
   * The files of one model, with nothing asked of the place but that it can be written to.
   *
   * @param root of all models' prepared weights, on a local disk
   * @param model tells it from others
   * @throws ModelException as the other {@code open}
   */
  public static PreparedFolder open(Path root, String model) {
    return open(new PreparedPlace(root, model), Keeping.PLAIN, 0);
  }

  /**
   * The files of one model; the folder is made if need be.
   *
   * @param bytes of all its files, about; room for them is made before the first one is, and for
   *     more as soon as there are more
   * @throws ModelException if the folder cannot be made, or others can write to it
   */
  public static PreparedFolder open(PreparedPlace place, Keeping keeping, long bytes) {
    try {
      makeRoot(place);
      // Now that the root is there, its canonical name is known.
      return locked(new PreparedPlace(place.root(), place.model()), keeping, bytes);
    } catch (IOException e) {
      throw new ModelException(place.folder().toString(), "cannot hold prepared weights: " + e, e);
    }
  }

  /** Those that only this user can enter: with the root, also the one that it is in. */
  private static void makeRoot(PreparedPlace place) throws IOException {
    for (Path folder : new Path[] {place.root().getParent(), place.root()}) {
      if (folder != null && !Files.isDirectory(folder)) {
        PrivateFolder.make(folder);
      }
    }
    PrivateFolder.make(place.useLock().getParent());
    PrivateFolder.tighten(place.root());
    PrivateFolder.tighten(place.useLock().getParent());
  }

  private static PreparedFolder locked(PreparedPlace place, Keeping keeping, long bytes)
      throws IOException {
    // First: who holds it may be removing the folder.
    HostLock use = HostLock.shared(place.useLock());
    boolean opened = false;
    try {
      PrivateFolder.make(place.folder());
      // What others can write here, the model would compute with.
      PrivateFolder.requireTrusted(place.root());
      PrivateFolder.requireTrusted(place.folder());
      noteUse(place.folder());
      opened = true;
      return new PreparedFolder(place, keeping, bytes, use);
    } finally {
      if (!opened) {
        use.close();
      }
    }
  }

  /** Those not used for longest are the first to go. */
  private static void noteUse(Path folder) {
    try {
      Files.setLastModifiedTime(folder, FileTime.fromMillis(System.currentTimeMillis()));
    } catch (IOException e) {
      LOG.debug("{} is another user's: its last use is not noted", folder, e);
    }
  }

  @Override
  public Bytes get(String name, long size, Maker maker) {
    if (!PreparedPlace.isName(name)) {
      throw new IllegalArgumentException("not a name for a file: " + name);
    }
    PreparedFile file = new PreparedFile(place.folder().resolve(name), size);
    try {
      Optional<Bytes> present = present(file);
      Bytes bytes = present.isPresent() ? present.get() : makeOrWait(file, maker);
      asked.put(name, file.fileSize());
      return bytes;
    } catch (ClosedByInterruptException | FileLockInterruptionException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException("interrupted while " + file.path() + " was prepared", e);
    } catch (IOException e) {
      throw new NotPreparedException(
          file.path().toString(),
          "a prepared weight of %d bytes cannot be made here: %s; %s; make room, choose another folder, or use the weights as they are stored"
              .formatted(size, e, free()),
          e);
    }
  }

  @Override
  public Made made() {
    return new Made(madeBytes, madeNanos * 1e-9);
  }

  private Optional<Bytes> present(PreparedFile file) throws IOException {
    return file.isComplete() && isTrusted(file) ? file.map() : Optional.empty();
  }

  private boolean isTrusted(PreparedFile file) throws IOException {
    if (keeping.check() == Keeping.Check.SIZES) {
      return true;
    }
    try {
      Seen seen = Seen.of(file.path());
      if (!VERIFIED.contains(seen)) {
        if (!file.hasItsChecksum()) {
          return false;
        }
        VERIFIED.add(seen);
      }
      return true;
    } catch (NoSuchFileException e) {
      return false;
    }
  }

  private Bytes makeOrWait(PreparedFile file, Maker maker) throws IOException {
    synchronized (MAKING) {
      try (FileChannel lockFile =
              FileChannel.open(
                  place.folder().resolve(".lock"),
                  StandardOpenOption.CREATE,
                  StandardOpenOption.WRITE);
          FileLock lock = lockFile.lock()) {
        Optional<Bytes> present = present(file);
        if (present.isPresent()) {
          return present.get();
        }
        LOG.debug("{} is made under {}", file, lock);
        discard(file);
        reserve(file);
        make(file, maker);
        return file.map()
            .orElseThrow(() -> new IOException("what was written is not there any more"));
      }
    }
  }

  /** What is in the way or was left half made; before room is made, as it takes some. */
  private void discard(PreparedFile file) throws IOException {
    if (file.isComplete()) {
      LOG.warn("{} is damaged: it has not the checksum it was written with", file.path());
    }
    Files.deleteIfExists(file.path());
    List<Path> partial;
    try (Stream<Path> files = Files.list(place.folder())) {
      partial = files.filter(any -> any.toString().endsWith(PreparedFile.PARTIAL)).toList();
    }
    for (Path left : partial) {
      Files.deleteIfExists(left);
    }
  }

  private void reserve(PreparedFile file) throws IOException {
    long needed = place.bytes() + file.fileSize();
    if (reserved == 0 || needed > reserved) {
      makeRoom(Math.max(whole, needed));
    }
  }

  private void makeRoom(long wanted) {
    try {
      keeping.room().reserve(place, wanted);
    } catch (ModelException e) {
      throw new NotPreparedException(e);
    }
    reserved = wanted;
  }

  /**
   * Makes room for all files now, rather than when the first one is made; unless all are there.
   *
   * @param least as of {@link PreparedPlace#isComplete}
   * @throws NotPreparedException if there is not enough room, whatever is removed, or the folder
   *     cannot be read
   */
  public void reserve(long least) {
    try {
      if (!place.isComplete(least)) {
        makeRoom(whole);
      }
    } catch (IOException e) {
      throw new NotPreparedException(place.folder().toString(), "cannot be read: " + e, e);
    }
  }

  /** Tells everybody that those asked for since this was opened are all that are used. */
  public void complete() {
    try {
      place.complete(asked.values().stream().mapToLong(Long::longValue).sum());
    } catch (IOException e) {
      LOG.debug("{} cannot be written to: that it is complete is not noted", place.folder(), e);
    }
  }

  private void make(PreparedFile file, Maker maker) throws IOException {
    if (madeBytes == 0) {
      LOG.info("prepares weights in {}, once for this host", place.folder());
    }
    long start = System.nanoTime();
    file.make(maker);
    VERIFIED.add(Seen.of(file.path()));
    madeNanos += System.nanoTime() - start;
    madeBytes += file.size();
  }

  private String free() {
    try {
      return Files.getFileStore(place.folder()).getUsableSpace() + " bytes are free";
    } catch (IOException e) {
      return "how much is free is unknown";
    }
  }

  /** Mappings go with their buffers, which the weights keep. Idempotent. */
  @Override
  public void close() {
    use.close();
  }
}
