import de.bwaldvogel.mongo.MongoServer;
import de.bwaldvogel.mongo.MongoVersion;
import de.bwaldvogel.mongo.backend.memory.MemoryBackend;
import de.bwaldvogel.mongo.bson.Document;
import de.bwaldvogel.mongo.wire.message.MongoMessage;
import java.util.List;

/** Listens on a free port, prints it, and ends when its standard input does: with the tests that started it. */
public class MongoStandin {
    /** The driver refuses servers older than this one; the stand-in knows itself by older names only. */
    private static final MongoVersion ACCEPTED = new MongoVersion() {
        @Override
        public List<Integer> getVersionArray() {
            return List.of(4, 4, 0);
        }

        @Override
        public int getWireVersion() {
            return 9;
        }
    };

    /** Takes one message at a time: a collection being created while it is written to ends in an error. */
    private static final class Backend extends MemoryBackend {
        @Override
        public synchronized Document handleMessage(MongoMessage message) {
            return super.handleMessage(message);
        }
    }

    public static void main(String[] arguments) throws Exception {
        MongoServer server = new MongoServer(new Backend().version(ACCEPTED));
        server.bind("127.0.0.1", 0);
        System.out.println(server.getLocalAddress().getPort());
        while (System.in.read() >= 0) { }
        System.exit(0);
    }
}
