package io.sirocco.spark.store;

import io.sirocco.checkpoint.ModelException;
import io.sirocco.prepared.HostLock;
import java.io.IOException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.FileTime;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.security.AccessControlException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The copies of remote models on this host, shared by the threads and the processes of a user. A
 * copy is complete and checked when it appears, and never changes.
 */
public final class NodeCache {
  private static final Logger LOG = LoggerFactory.getLogger(NodeCache.class);

  /** Copies whose checksums this JVM has computed. */
  private static final Set<Path> VERIFIED = ConcurrentHashMap.newKeySet();

  private final CacheFolder folder;
  private final CacheSettings settings;
  private final Download.Pieces pieces;

  private NodeCache(CacheFolder folder, CacheSettings settings, Download.Pieces pieces) {
    this.folder = folder;
    this.settings = settings;
    this.pieces = pieces;
  }

  /**
   * The cache with these settings; its folders are made if need be.
   *
   * @throws ModelException if the cache's folder cannot be made or written, or is another user's
   */
  public static NodeCache open(CacheSettings settings) {
    return open(settings, Download.Pieces.DEFAULT);
  }

  static NodeCache open(CacheSettings settings, Download.Pieces pieces) {
    return new NodeCache(CacheFolder.open(settings.folder()), settings, pieces);
  }

  /**
   * This host's copy, which nobody removes before it is closed. It is fetched if need be; others
   * who ask for it meanwhile, here or in another process, wait.
   *
   * @throws ModelException if the model changed since its manifest was made, does not have the
   *     checksums it should have, cannot be copied here, or finds no room
   * @throws FetchException if it did not arrive, but may the next time
   */
  public LocalModel acquire(ModelManifest manifest, Configuration hadoop) {
    String id = manifest.contentId();
    HostLock use = HostLock.shared(folder.useLock(id));
    boolean acquired = false;
    try {
      long fetched = isUsable(id, manifest) ? 0 : fetch(id, manifest, hadoop);
      Files.setLastModifiedTime(folder.model(id), FileTime.fromMillis(System.currentTimeMillis()));
      acquired = true;
      return new LocalModel(folder.model(id), manifest.source(), fetched, use::close);
    } catch (IOException e) {
      throw notCopied(manifest, e);
    } finally {
      if (!acquired) {
        use.close();
      }
    }
  }

  private boolean isUsable(String id, ModelManifest manifest) throws IOException {
    return isComplete(id, manifest)
        && (settings.check() == CacheSettings.Check.SIZES || VERIFIED.contains(folder.model(id)));
  }

  private boolean isComplete(String id, ModelManifest manifest) throws IOException {
    Optional<CopyRecord> copy = CopyRecord.read(folder.model(id));
    return copy.isPresent() && copy.get().isOf(manifest) && copy.get().hasSizes(folder.model(id));
  }

  private boolean hasChecksums(String id) throws IOException {
    Optional<CopyRecord> copy = CopyRecord.read(folder.model(id));
    return copy.isPresent() && copy.get().hasChecksums(folder.model(id));
  }

  /** Bytes fetched: none if somebody else was faster. */
  private long fetch(String id, ModelManifest manifest, Configuration hadoop) throws IOException {
    HostLock lock =
        HostLock.exclusive(
            folder.fetchLock(id),
            () -> LOG.info("waits until another task has fetched {}", manifest.source()));
    try {
      if (isUsable(id, manifest)) {
        return 0;
      }
      if (isComplete(id, manifest) && hasChecksums(id)) {
        VERIFIED.add(folder.model(id));
        return 0;
      }
      if (Files.exists(folder.model(id))) {
        LOG.warn(
            "{} is not what was fetched from {}: it is fetched again",
            folder.model(id),
            manifest.source());
        folder.remove(folder.model(id));
      }
      return fetchLocked(id, manifest, hadoop);
    } finally {
      lock.close();
    }
  }

  private long fetchLocked(String id, ModelManifest manifest, Configuration hadoop)
      throws IOException {
    PartialCopy copy = new PartialCopy(folder.partial(id), manifest);
    long start = System.nanoTime();
    LOG.info("fetches {}, {}, into {}", manifest.source(), manifest.bytes(), folder.root());
    long fetched;
    try (RemoteModel remote = RemoteModel.open(manifest.source(), hadoop)) {
      fetched = fetch(copy, id, remote);
    }
    VERIFIED.add(folder.model(id));
    LOG.info(
        "fetched {} of the {} bytes of {} in {} s",
        fetched,
        manifest.bytes(),
        manifest.source(),
        String.format(Locale.ROOT, "%.1f", (System.nanoTime() - start) * 1e-9));
    return fetched;
  }

  private long fetch(PartialCopy copy, String id, RemoteModel remote) throws IOException {
    try {
      remote.requireUnchanged(copy.manifest());
      new Room(folder, settings).reserve(Wanted.by(copy.manifest(), id, folder), copy::reserve);
      Download.Result result = new Download(copy, remote, pieces).run();
      // Before the checksums: that the model changed explains why they differ.
      remote.requireUnchanged(copy.manifest());
      publish(copy, copy.verified(result.ranges()), id);
      return result.fetched();
    } catch (ModelException e) {
      // The next download would come to the same end with what is here.
      folder.remove(copy.folder());
      throw changed(copy.manifest(), remote, e).orElse(e);
    } catch (IOException e) {
      throw failed(copy, remote, e);
    }
  }

  /** Makes the copy visible, whole; it survives a crash of the machine from here on. */
  private void publish(PartialCopy copy, CopyRecord record, String id) throws IOException {
    copy.setContentTimes();
    record.write(copy.files());
    for (String name : ModelFile.FOLDERS) {
      Path within = copy.files().resolve(name);
      if (Files.isDirectory(within)) {
        CacheFolder.sync(within);
      }
    }
    CacheFolder.sync(copy.files());
    Files.move(copy.files(), folder.model(id), StandardCopyOption.ATOMIC_MOVE);
    CacheFolder.sync(folder.model(id).getParent());
    folder.remove(copy.folder());
  }

  /** What is here stays, for the next download to go on, unless it is of no use to it. */
  private RuntimeException failed(PartialCopy copy, RemoteModel remote, IOException problem)
      throws IOException {
    ModelManifest manifest = copy.manifest();
    if (isDiskFull(problem)) {
      long here = PartialCopy.journaledBytes(copy.folder());
      folder.remove(copy.folder());
      long free = Files.getFileStore(folder.root()).getUsableSpace();
      return new ModelException(
          manifest.source(),
          "the disk of %s is full: of %s, %s had been fetched; now, without them, %s are free; make room there, or set %s to a larger disk"
              .formatted(
                  folder.root(),
                  Room.bytes(manifest.bytes()),
                  Room.bytes(here),
                  Room.bytes(free),
                  CacheSettings.DIR),
          problem);
    }
    Optional<ModelException> changed = changed(manifest, remote, problem);
    if (changed.isPresent()) {
      folder.remove(copy.folder());
      return changed.get();
    }
    if (problem instanceof AccessControlException || problem instanceof FileSystemException) {
      return notCopied(manifest, problem);
    }
    return new FetchException(manifest.source(), problem);
  }

  private ModelException notCopied(ModelManifest manifest, IOException problem) {
    return new ModelException(
        manifest.source(), "cannot be copied to " + folder.root() + ": " + problem, problem);
  }

  /** A change of the model, where that explains the problem. */
  private static Optional<ModelException> changed(
      ModelManifest manifest, RemoteModel remote, Exception problem) {
    try {
      remote.requireUnchanged(manifest);
    } catch (ModelException changed) {
      changed.addSuppressed(problem);
      return Optional.of(changed);
    } catch (IOException unreachable) {
      problem.addSuppressed(unreachable);
    }
    return Optional.empty();
  }

  private static boolean isDiskFull(IOException problem) {
    String message = String.valueOf(problem.getMessage());
    return message.contains("No space left on device") || message.contains("quota exceeded");
  }
}
