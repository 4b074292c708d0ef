/* A PKCS#11 module for tests: tokens that sign with DSTU 4145 by the mechanism of the national vendors, count every
 * login, lock, can be pulled out, and misbehave when told to. Its state is plain files, so that a test sees and changes it
 * while a program has the module open. The folder is named by BRAMA_TEST_TOKENS:
 *
 *   fault           "WHAT FUNCTION": crash, hang, exit, garbage, print or fail, at that function
 *   0, 1, ...       a folder for each token:
 *     label serial  text
 *     pin           the PIN
 *     left max      attempts left, and as many as there are after a right PIN
 *     removed       if this file is there, the token is not
 *     pinpad        if this file is there, the PIN comes from its content and not from the program
 *     calls         what was asked of the token: one line for each C_Login and C_Sign
 *     key-N         private key, 32 octets, little-endian, N from 0
 *     point-N       compressed public point, 33 octets
 *     cert-N        certificate, DER; may be absent
 *     always-N      if this file is there, the key asks for a login at each signature
 *     agree-N       if this file is there, the key is for key agreement and does not sign
 */
#define CK_PTR *
#define NULL_PTR 0
#define CK_DEFINE_FUNCTION(returnType, name) returnType name
#define CK_DECLARE_FUNCTION(returnType, name) returnType name
#define CK_DECLARE_FUNCTION_POINTER(returnType, name) returnType(*name)
#define CK_CALLBACK_FUNCTION(returnType, name) returnType(*name)
#include "pkcs11.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "gost.h"
#include "m257.h"

enum { SLOTS = 4, KEYS = 4, KINDS = 3, PATH = 4096, VALUE = 16384 };
enum { CERTIFICATE, PRIVATE_KEY, PUBLIC_KEY };

#define CKM_DSTU4145 0x80420031UL
#define CKK_DSTU4145 0x80420131UL
#define CKM_DSTU4145_ECDH_DERIVE 0x80420043UL
#define CKM_DSTU4145_ECDH_COFACTOR_DERIVE 0x80420044UL
#define CKM_UA_GOST28147_WRAP 0x80420016UL
#define CKK_UA_GOST28147 0x80420111UL
#define CKD_GOST34311_KDF 0x80420211UL

/* Keys of the session: what was derived stays inside, what was unwrapped can be read. */
enum { DERIVED = 1000, UNWRAPPED };
static unsigned char derived[GOST_KEY], unwrapped[GOST_KEY];
static int has_derived, has_unwrapped;

/* The OID 1.2.804.2.1.1.1.1.3.1.1.2.6. */
static const unsigned char M257_PARAMS[] = {0x06, 0x0d, 0x2a, 0x86, 0x24, 0x02, 0x01, 0x01, 0x01, 0x01, 0x03, 0x01, 0x01, 0x02, 0x06};

/* One session at a time is enough for a program that serves one person. */
static struct {
	int open, logged_in, authenticated, signing;
	CK_SLOT_ID slot;
	CK_OBJECT_HANDLE found[KEYS * KINDS];
	int n_found, at;
} session;

static const char *path(const char *name) {
	static char p[PATH];
	const char *root = getenv("BRAMA_TEST_TOKENS");
	snprintf(p, sizeof p, "%s/%s", root ? root : "/nonexistent", name);
	return p;
}

static const char *in_slot(CK_SLOT_ID slot, const char *name) {
	char p[256];
	snprintf(p, sizeof p, "%lu/%s", slot, name);
	return path(p);
}

static const char *of_key(CK_SLOT_ID slot, const char *name, int key) {
	char p[128];
	snprintf(p, sizeof p, "%s-%d", name, key);
	return in_slot(slot, p);
}

/* read_file returns the length, -1 if there is no such file. */
static int read_file(const char *p, void *into, size_t max) {
	FILE *f = fopen(p, "rb");
	if (!f)
		return -1;
	size_t n = fread(into, 1, max, f);
	fclose(f);
	return n;
}

static int exists(const char *p) { return access(p, F_OK) == 0; }

static int read_number(CK_SLOT_ID slot, const char *name) {
	char text[16] = {0};
	read_file(in_slot(slot, name), text, sizeof text - 1);
	return atoi(text);
}

static void write_number(CK_SLOT_ID slot, const char *name, int n) {
	FILE *f = fopen(in_slot(slot, name), "wb");
	if (f) {
		fprintf(f, "%d", n);
		fclose(f);
	}
}

static void record(CK_SLOT_ID slot, const char *line) {
	FILE *f = fopen(in_slot(slot, "calls"), "ab");
	if (f) {
		fprintf(f, "%s\n", line);
		fclose(f);
	}
}

/* misbehave does what the file fault tells for this function; it returns 1 for garbage, 2 for failure. */
static int misbehave(const char *function) {
	char text[128] = {0}, what[32], where[64];
	if (read_file(path("fault"), text, sizeof text - 1) < 0 || sscanf(text, "%31s %63s", what, where) != 2 || strcmp(where, function))
		return 0;
	if (!strcmp(what, "crash"))
		*(volatile int *)8 = 0;
	if (!strcmp(what, "hang"))
		for (;;)
			pause();
	if (!strcmp(what, "exit"))
		_exit(0);
	if (!strcmp(what, "print")) {
		puts("{\"code\":\"OK\"} this module talks to itself");
		fflush(stdout);
		static const unsigned char frame[] = {0, 0, 0, 2, '{', '}'};
		return write(1, frame, sizeof frame) < 0;
	}
	return !strcmp(what, "garbage") ? 1 : !strcmp(what, "fail") ? 2 : 0;
}

#define ENTER(function, garbage)         \
	switch (misbehave(function)) {   \
	case 1:                          \
		garbage;                 \
		return CKR_OK;           \
	case 2:                          \
		return CKR_GENERAL_ERROR; \
	}

static int present(CK_SLOT_ID slot) {
	return slot < SLOTS && exists(in_slot(slot, "serial")) && !exists(in_slot(slot, "removed"));
}

static void pad(CK_UTF8CHAR *field, size_t size, const char *text) {
	memset(field, ' ', size);
	size_t n = strlen(text);
	memcpy(field, text, n < size ? n : size);
}

static CK_RV initialize(CK_VOID_PTR args) {
	(void)args;
	ENTER("C_Initialize", (void)0);
	return CKR_OK;
}

static CK_RV finalize(CK_VOID_PTR reserved) {
	(void)reserved;
	memset(&session, 0, sizeof session);
	return CKR_OK;
}

static CK_RV get_slot_list(CK_BBOOL token_present, CK_SLOT_ID_PTR list, CK_ULONG_PTR count) {
	ENTER("C_GetSlotList", *count = 1000000);
	CK_ULONG n = 0;
	for (CK_SLOT_ID slot = 0; slot < SLOTS; slot++) {
		if (token_present && !present(slot))
			continue;
		if (list) {
			if (n == *count)
				return CKR_BUFFER_TOO_SMALL;
			list[n] = slot;
		}
		n++;
	}
	*count = n;
	return CKR_OK;
}

static CK_RV get_token_info(CK_SLOT_ID slot, CK_TOKEN_INFO_PTR info) {
	ENTER("C_GetTokenInfo", memset(info, 0xfe, sizeof *info));
	if (!present(slot))
		return CKR_TOKEN_NOT_PRESENT;
	char text[64] = {0};
	memset(info, 0, sizeof *info);
	read_file(in_slot(slot, "label"), text, sizeof text - 1);
	pad(info->label, sizeof info->label, text);
	memset(text, 0, sizeof text);
	read_file(in_slot(slot, "serial"), text, sizeof text - 1);
	pad(info->serialNumber, sizeof info->serialNumber, text);
	pad(info->manufacturerID, sizeof info->manufacturerID, "Brama tests");
	pad(info->model, sizeof info->model, "DSTU 4145");
	info->flags = CKF_TOKEN_INITIALIZED | CKF_LOGIN_REQUIRED | CKF_USER_PIN_INITIALIZED;
	int left = read_number(slot, "left"), max = read_number(slot, "max");
	if (left < max)
		info->flags |= CKF_USER_PIN_COUNT_LOW;
	if (left == 1)
		info->flags |= CKF_USER_PIN_FINAL_TRY;
	if (left == 0)
		info->flags |= CKF_USER_PIN_LOCKED;
	if (exists(in_slot(slot, "pinpad")))
		info->flags |= CKF_PROTECTED_AUTHENTICATION_PATH;
	return CKR_OK;
}

static CK_RV get_mechanism_list(CK_SLOT_ID slot, CK_MECHANISM_TYPE_PTR list, CK_ULONG_PTR count) {
	ENTER("C_GetMechanismList", *count = 0);
	if (!present(slot))
		return CKR_TOKEN_NOT_PRESENT;
	static const CK_MECHANISM_TYPE all[] = {CKM_DSTU4145, CKM_DSTU4145_ECDH_DERIVE, CKM_DSTU4145_ECDH_COFACTOR_DERIVE, CKM_UA_GOST28147_WRAP};
	if (list && *count < sizeof all / sizeof *all)
		return CKR_BUFFER_TOO_SMALL;
	if (list)
		memcpy(list, all, sizeof all);
	*count = sizeof all / sizeof *all;
	return CKR_OK;
}

static CK_RV open_session(CK_SLOT_ID slot, CK_FLAGS flags, CK_VOID_PTR application, CK_NOTIFY notify, CK_SESSION_HANDLE_PTR handle) {
	(void)application, (void)notify;
	ENTER("C_OpenSession", *handle = 0);
	if (!present(slot))
		return CKR_TOKEN_NOT_PRESENT;
	if (!(flags & CKF_SERIAL_SESSION))
		return CKR_SESSION_PARALLEL_NOT_SUPPORTED;
	if (session.open)
		return CKR_SESSION_COUNT;
	memset(&session, 0, sizeof session);
	session.open = 1;
	session.slot = slot;
	*handle = 1;
	return CKR_OK;
}

static CK_RV check(CK_SESSION_HANDLE handle) {
	if (!session.open || handle != 1)
		return CKR_SESSION_HANDLE_INVALID;
	return present(session.slot) ? CKR_OK : CKR_DEVICE_REMOVED;
}

static CK_RV close_session(CK_SESSION_HANDLE handle) {
	(void)handle;
	session.open = session.logged_in = 0;
	return CKR_OK;
}

static CK_RV login(CK_SESSION_HANDLE handle, CK_USER_TYPE user, CK_UTF8CHAR_PTR pin, CK_ULONG length) {
	ENTER("C_Login", (void)0);
	CK_RV rv = check(handle);
	if (rv)
		return rv;
	if (user == CKU_CONTEXT_SPECIFIC ? !session.signing : user != CKU_USER)
		return CKR_USER_TYPE_INVALID;
	char right[64] = {0}, typed[64] = {0};
	read_file(in_slot(session.slot, "pin"), right, sizeof right - 1);
	if (length < sizeof typed && pin)
		memcpy(typed, pin, length);
	if (exists(in_slot(session.slot, "pinpad"))) {
		memset(typed, 0, sizeof typed);
		if (length == 0)
			read_file(in_slot(session.slot, "pinpad"), typed, sizeof typed - 1);
	}
	int left = read_number(session.slot, "left");
	if (left == 0) {
		record(session.slot, "login locked");
		return CKR_PIN_LOCKED;
	}
	if (strcmp(right, typed)) {
		record(session.slot, "login wrong");
		write_number(session.slot, "left", left - 1);
		return left == 1 ? CKR_PIN_LOCKED : CKR_PIN_INCORRECT;
	}
	record(session.slot, user == CKU_USER ? "login right" : "login again");
	write_number(session.slot, "left", read_number(session.slot, "max"));
	if (user == CKU_USER)
		session.logged_in = 1;
	else
		session.authenticated = 1;
	return CKR_OK;
}

static CK_RV logout(CK_SESSION_HANDLE handle) {
	(void)handle;
	session.logged_in = 0;
	return CKR_OK;
}

/* attribute writes one attribute of an object into value and returns its length, -1 if there is none. */
static int attribute(CK_OBJECT_HANDLE object, CK_ATTRIBUTE_TYPE type, unsigned char *value) {
	int key = (object - 1) / KINDS, kind = (object - 1) % KINDS;
	static const CK_OBJECT_CLASS class[] = {CKO_CERTIFICATE, CKO_PRIVATE_KEY, CKO_PUBLIC_KEY};
	CK_ULONG number;
	switch (type) {
	case CKA_CLASS:
		number = class[kind];
		break;
	case CKA_ID:
		value[0] = key + 1;
		return 1;
	case CKA_LABEL:
		return sprintf((char *)value, "key %d", key);
	case CKA_CERTIFICATE_TYPE:
		if (kind != CERTIFICATE)
			return -1;
		number = CKC_X_509;
		break;
	case CKA_VALUE:
		return kind == CERTIFICATE ? read_file(of_key(session.slot, "cert", key), value, VALUE) : -1;
	case CKA_KEY_TYPE:
		if (kind == CERTIFICATE)
			return -1;
		number = CKK_DSTU4145;
		break;
	case CKA_SIGN:
		value[0] = !exists(of_key(session.slot, "agree", key));
		return kind == PRIVATE_KEY ? 1 : -1;
	case CKA_DERIVE:
		value[0] = exists(of_key(session.slot, "agree", key));
		return kind == PRIVATE_KEY ? 1 : -1;
	case CKA_ALWAYS_AUTHENTICATE:
		value[0] = exists(of_key(session.slot, "always", key));
		return kind == PRIVATE_KEY ? 1 : -1;
	case CKA_EC_PARAMS:
		memcpy(value, M257_PARAMS, sizeof M257_PARAMS);
		return kind == CERTIFICATE ? -1 : (int)sizeof M257_PARAMS;
	case CKA_EC_POINT:
		value[0] = 0x04;
		value[1] = M257_POINT;
		return kind == PUBLIC_KEY && read_file(of_key(session.slot, "point", key), value + 2, M257_POINT) == M257_POINT ? M257_POINT + 2 : -1;
	default:
		return -1;
	}
	memcpy(value, &number, sizeof number);
	return sizeof number;
}

static int visible(CK_OBJECT_HANDLE object) {
	int key = (object - 1) / KINDS, kind = (object - 1) % KINDS;
	if (!exists(of_key(session.slot, "key", key)))
		return 0;
	if (kind == CERTIFICATE)
		return exists(of_key(session.slot, "cert", key));
	return kind == PUBLIC_KEY || session.logged_in;
}

static CK_RV find_objects_init(CK_SESSION_HANDLE handle, CK_ATTRIBUTE_PTR template, CK_ULONG count) {
	static unsigned char value[VALUE];
	CK_RV rv = check(handle);
	if (rv)
		return rv;
	ENTER("C_FindObjectsInit", (void)0);
	session.n_found = session.at = 0;
	for (CK_OBJECT_HANDLE object = 1; object <= KEYS * KINDS; object++) {
		int matches = visible(object);
		for (CK_ULONG i = 0; matches && i < count; i++) {
			int n = attribute(object, template[i].type, value);
			matches = n >= 0 && (CK_ULONG)n == template[i].ulValueLen && !memcmp(value, template[i].pValue, n);
		}
		if (matches)
			session.found[session.n_found++] = object;
	}
	return CKR_OK;
}

static CK_RV find_objects(CK_SESSION_HANDLE handle, CK_OBJECT_HANDLE_PTR list, CK_ULONG max, CK_ULONG_PTR count) {
	CK_RV rv = check(handle);
	if (rv)
		return rv;
	ENTER("C_FindObjects", *count = max);
	CK_ULONG n = 0;
	while (n < max && session.at < session.n_found)
		list[n++] = session.found[session.at++];
	*count = n;
	return CKR_OK;
}

static CK_RV find_objects_final(CK_SESSION_HANDLE handle) { return check(handle); }

static CK_RV get_attribute_value(CK_SESSION_HANDLE handle, CK_OBJECT_HANDLE object, CK_ATTRIBUTE_PTR template, CK_ULONG count) {
	static unsigned char value[VALUE];
	CK_RV rv = check(handle);
	if (rv)
		return rv;
	ENTER("C_GetAttributeValue", template[0].ulValueLen = template[0].pValue ? 0x7fffffff : 16);
	if (object == DERIVED || object == UNWRAPPED) {
		if (count != 1 || template[0].type != CKA_VALUE || !(object == DERIVED ? has_derived : has_unwrapped))
			return CKR_OBJECT_HANDLE_INVALID;
		if (object == DERIVED) {
			template[0].ulValueLen = CK_UNAVAILABLE_INFORMATION;
			return CKR_ATTRIBUTE_SENSITIVE;
		}
		if (template[0].pValue && template[0].ulValueLen < GOST_KEY)
			return CKR_BUFFER_TOO_SMALL;
		if (template[0].pValue)
			memcpy(template[0].pValue, unwrapped, GOST_KEY);
		template[0].ulValueLen = GOST_KEY;
		return CKR_OK;
	}
	if (object < 1 || object > KEYS * KINDS || !visible(object))
		return CKR_OBJECT_HANDLE_INVALID;
	for (CK_ULONG i = 0; i < count; i++) {
		int n = attribute(object, template[i].type, value);
		if (n < 0) {
			template[i].ulValueLen = CK_UNAVAILABLE_INFORMATION;
			rv = CKR_ATTRIBUTE_TYPE_INVALID;
			continue;
		}
		if (template[i].pValue && template[i].ulValueLen < (CK_ULONG)n)
			return CKR_BUFFER_TOO_SMALL;
		if (template[i].pValue)
			memcpy(template[i].pValue, value, n);
		template[i].ulValueLen = n;
	}
	return rv;
}

static int signing_key;

static CK_RV sign_init(CK_SESSION_HANDLE handle, CK_MECHANISM_PTR mechanism, CK_OBJECT_HANDLE object) {
	CK_RV rv = check(handle);
	if (rv)
		return rv;
	ENTER("C_SignInit", session.signing = 1);
	if (!session.logged_in)
		return CKR_USER_NOT_LOGGED_IN;
	if (mechanism->mechanism != CKM_DSTU4145)
		return CKR_MECHANISM_INVALID;
	if (mechanism->ulParameterLen)
		return CKR_MECHANISM_PARAM_INVALID;
	if (object < 1 || object > KEYS * KINDS || (object - 1) % KINDS != PRIVATE_KEY || !visible(object))
		return CKR_KEY_HANDLE_INVALID;
	signing_key = (object - 1) / KINDS;
	session.signing = 1;
	session.authenticated = 0;
	return CKR_OK;
}

static CK_RV sign(CK_SESSION_HANDLE handle, CK_BYTE_PTR data, CK_ULONG length, CK_BYTE_PTR signature, CK_ULONG_PTR size) {
	unsigned char d[M257_PRIVATE];
	CK_RV rv = check(handle);
	if (rv)
		return rv;
	ENTER("C_Sign", *size = M257_SIGNATURE; if (signature) memset(signature, 0x5a, M257_SIGNATURE));
	if (!session.signing)
		return CKR_OPERATION_NOT_INITIALIZED;
	if (length != 32)
		return CKR_DATA_LEN_RANGE;
	if (exists(of_key(session.slot, "always", signing_key)) && !session.authenticated)
		return CKR_USER_NOT_LOGGED_IN;
	if (!signature) {
		*size = M257_SIGNATURE;
		return CKR_OK;
	}
	if (*size < M257_SIGNATURE)
		return CKR_BUFFER_TOO_SMALL;
	session.signing = 0;
	if (read_file(of_key(session.slot, "key", signing_key), d, sizeof d) != sizeof d || m257_sign(d, data, signature))
		return CKR_DEVICE_ERROR;
	*size = M257_SIGNATURE;
	record(session.slot, "sign");
	return CKR_OK;
}

/* has_type says whether a template asks for a secret key of this type that goes with the session. */
static int has_type(CK_ATTRIBUTE_PTR template, CK_ULONG count, CK_KEY_TYPE type) {
	int ok = 0;
	for (CK_ULONG i = 0; i < count; i++) {
		if (template[i].type == CKA_KEY_TYPE)
			ok = template[i].ulValueLen == sizeof type && !memcmp(template[i].pValue, &type, sizeof type);
		if (template[i].type == CKA_TOKEN && *(CK_BBOOL *)template[i].pValue)
			return 0;
	}
	return ok;
}

static CK_RV derive_key(CK_SESSION_HANDLE handle, CK_MECHANISM_PTR mechanism, CK_OBJECT_HANDLE base, CK_ATTRIBUTE_PTR template, CK_ULONG count, CK_OBJECT_HANDLE_PTR key) {
	unsigned char d[M257_PRIVATE], x[M257_POINT];
	CK_RV rv = check(handle);
	if (rv)
		return rv;
	ENTER("C_DeriveKey", *key = DERIVED);
	if (!session.logged_in)
		return CKR_USER_NOT_LOGGED_IN;
	if (mechanism->mechanism != CKM_DSTU4145_ECDH_DERIVE && mechanism->mechanism != CKM_DSTU4145_ECDH_COFACTOR_DERIVE)
		return CKR_MECHANISM_INVALID;
	CK_ECDH1_DERIVE_PARAMS *p = mechanism->pParameter;
	if (mechanism->ulParameterLen != sizeof *p || p->kdf != CKD_GOST34311_KDF || p->ulSharedDataLen > GOST_UKM)
		return CKR_MECHANISM_PARAM_INVALID;
	if (p->ulPublicDataLen != M257_POINT + 2 || p->pPublicData[0] != 0x04 || p->pPublicData[1] != M257_POINT)
		return CKR_MECHANISM_PARAM_INVALID;
	if (base < 1 || base > KEYS * KINDS || (base - 1) % KINDS != PRIVATE_KEY || !visible(base))
		return CKR_KEY_HANDLE_INVALID;
	if (!exists(of_key(session.slot, "agree", (base - 1) / KINDS)))
		return CKR_KEY_FUNCTION_NOT_PERMITTED;
	if (!has_type(template, count, CKK_UA_GOST28147))
		return CKR_TEMPLATE_INCONSISTENT;
	if (read_file(of_key(session.slot, "key", (base - 1) / KINDS), d, sizeof d) != sizeof d ||
	    m257_agree(d, p->pPublicData + 2, mechanism->mechanism == CKM_DSTU4145_ECDH_COFACTOR_DERIVE, x))
		return CKR_MECHANISM_PARAM_INVALID;
	gost_kek(x, sizeof x, p->pSharedData, p->ulSharedDataLen, derived);
	has_derived = 1;
	*key = DERIVED;
	record(session.slot, "derive");
	return CKR_OK;
}

static CK_RV unwrap_key(CK_SESSION_HANDLE handle, CK_MECHANISM_PTR mechanism, CK_OBJECT_HANDLE by, CK_BYTE_PTR wrapped, CK_ULONG length, CK_ATTRIBUTE_PTR template, CK_ULONG count, CK_OBJECT_HANDLE_PTR key) {
	CK_RV rv = check(handle);
	if (rv)
		return rv;
	ENTER("C_UnwrapKey", *key = UNWRAPPED);
	if (mechanism->mechanism != CKM_UA_GOST28147_WRAP || mechanism->ulParameterLen)
		return CKR_MECHANISM_INVALID;
	if (by != DERIVED || !has_derived)
		return CKR_UNWRAPPING_KEY_HANDLE_INVALID;
	if (!has_type(template, count, CKK_UA_GOST28147))
		return CKR_TEMPLATE_INCONSISTENT;
	if (length != GOST_WRAPPED || gost_unwrap(derived, wrapped, unwrapped))
		return CKR_WRAPPED_KEY_INVALID;
	has_unwrapped = 1;
	*key = UNWRAPPED;
	record(session.slot, "unwrap");
	return CKR_OK;
}

static CK_RV destroy_object(CK_SESSION_HANDLE handle, CK_OBJECT_HANDLE object) {
	CK_RV rv = check(handle);
	if (rv)
		return rv;
	if (object != DERIVED && object != UNWRAPPED)
		return CKR_OBJECT_HANDLE_INVALID;
	if (object == DERIVED)
		has_derived = 0;
	else
		has_unwrapped = 0;
	record(session.slot, "destroy");
	return CKR_OK;
}

static CK_RV unsupported(void) { return CKR_FUNCTION_NOT_SUPPORTED; }

static CK_FUNCTION_LIST functions;

CK_RV C_GetFunctionList(CK_FUNCTION_LIST_PTR_PTR list) {
	ENTER("C_GetFunctionList", *list = 0);
	/* Every function is a pointer of one size; those without a body here answer that they are not supported. */
	void (**all)(void) = (void (**)(void))((char *)&functions + offsetof(CK_FUNCTION_LIST, C_Initialize));
	size_t n = (sizeof functions - offsetof(CK_FUNCTION_LIST, C_Initialize)) / sizeof *all;
	for (size_t i = 0; i < n; i++)
		all[i] = (void (*)(void))unsupported;
	functions.version.major = 2;
	functions.version.minor = 40;
	functions.C_Initialize = initialize;
	functions.C_Finalize = finalize;
	functions.C_GetFunctionList = C_GetFunctionList;
	functions.C_GetSlotList = get_slot_list;
	functions.C_GetTokenInfo = get_token_info;
	functions.C_GetMechanismList = get_mechanism_list;
	functions.C_OpenSession = open_session;
	functions.C_CloseSession = close_session;
	functions.C_Login = login;
	functions.C_Logout = logout;
	functions.C_FindObjectsInit = find_objects_init;
	functions.C_FindObjects = find_objects;
	functions.C_FindObjectsFinal = find_objects_final;
	functions.C_GetAttributeValue = get_attribute_value;
	functions.C_SignInit = sign_init;
	functions.C_Sign = sign;
	functions.C_DeriveKey = derive_key;
	functions.C_UnwrapKey = unwrap_key;
	functions.C_DestroyObject = destroy_object;
	*list = &functions;
	return CKR_OK;
}
