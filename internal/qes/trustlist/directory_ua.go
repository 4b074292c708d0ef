package trustlist

// What the directory and the pins were compared with, by SHA-256: the list of 33 providers and the bundle of 827
// certificates that came with a public web signing library (first commit of MaksimVovk/iit, February 2026). The digests
// stand here so that a later, altered copy is not taken for the one that was read (jokes have been seen in it).
const (
	ComparedList   = "ff46b9502db87fe76ce5928c93fbc31993c121e0726096b560f8e66713d16179"
	ComparedBundle = "cf8f90ccb50ca9dfc63eb1c75ba6cdebf31430c48c8af9591e49a12a66fcb259"
)

// Directory returns the qualified trust service providers of Ukraine: the names by which their certificates call them and
// the addresses of their services. These are facts from public material of February 2026, compared with
// [ComparedList]. Three issuer names that stand in CA certificates of [ComparedBundle] only are added. A CMP or TSP address without a path there has the one that all servers of that maker use.
func Directory() []Provider {
	return []Provider{
		{
			EDRPOU: "43395033", Host: "ca.informjust.ua",
			IssuerCNs: []string{
				"\"Дія\". Кваліфікований надавач електронних довірчих послуг",
				"АЦСК органів юстиції України",
				"\"DIIA\". Qualified Trust Services Provider",
				"CA of the Justice of Ukraine",
				"АЦСК Держінформ'юсту",
			},
			OCSP: "http://ca.informjust.ua/services/ocsp/", TSP: "http://ca.informjust.ua/services/tsp/", CMP: "http://ca.informjust.ua/services/cmp/",
		},
		{
			EDRPOU: "43005393", Host: "ca.tax.gov.ua",
			IssuerCNs: []string{
				"КНЕДП ДПС",
				"QTSP State Tax Service of Ukraine",
				"КНЕДП ІДД ДПС",
				"КНЕДП - ІДД ДПС",
				"Акредитований центр сертифікації ключів ІДД ДФС",
				"Акредитований центр сертифікації ключів ІДД Міндоходів",
				"Акредитований центр сертифікації ключів ІДД ДПС",
			},
			OCSP: "http://ca.tax.gov.ua/services/ocsp/", TSP: "http://ca.tax.gov.ua/services/tsp/", CMP: "http://ca.tax.gov.ua/services/cmp/",
		},
		{
			EDRPOU: "36865753", Host: "uakey.com.ua",
			IssuerCNs: []string{
				"КНЕДП ТОВ \"Центр сертифікації ключів \"Україна\"",
				"АЦСК ТОВ \"Центр сертифікації ключів \"Україна\"",
				"ТОВ \"Центр сертифікації ключів \"Україна\"",
			},
			OCSP: "http://uakey.com.ua/services/ocsp/", TSP: "http://uakey.com.ua/services/tsp/", CMP: "http://uakey.com.ua/services/cmp/",
		},
		{
			EDRPOU: "14360570", Host: "acsk.privatbank.ua",
			IssuerCNs: []string{
				"КНЕДП АЦСК АТ КБ \"ПРИВАТБАНК\"",
				"АЦСК АТ КБ «ПРИВАТБАНК»",
				"АЦСК ПАТ КБ «ПРИВАТБАНК»",
				"АЦСК «ПРИВАТБАНК»",
			},
			OCSP: "http://acsk.privatbank.ua/services/ocsp/", TSP: "http://acsk.privatbank.ua/services/tsp/", CMP: "http://acsk.privatbank.ua/services/cmp/",
		},
		{
			EDRPOU: "30404750", Host: "masterkey.ua",
			IssuerCNs: []string{
				"КНЕДП \"MASTERKEY\" ТОВ \"АРТ-МАСТЕР\"",
				"АЦСК \"MASTERKEY\" ТОВ \"АРТ-МАСТЕР\"",
				"ЦСК \"MASTERKEY\" ТОВ \"АРТ-МАСТЕР\"",
				"ТОВ \"Арт-мастер\"",
			},
			OCSP: "http://masterkey.ua/services/ocsp/", TSP: "http://masterkey.ua/services/tsp/", CMP: "http://masterkey.ua/services/cmp/",
		},
		{
			EDRPOU: "32348248", Host: "csk.uss.gov.ua",
			IssuerCNs: []string{
				"КНЕДП ДП \"УСС\"",
				"QTSP SE \"USS\"",
				"АЦСК ДП «УСС»",
				"АЦСК ДП \"УСС\"",
			},
			OCSP: "http://csk.uss.gov.ua/services/ocsp/", TSP: "http://csk.uss.gov.ua/services/tsp/", CMP: "http://csk.uss.gov.ua/services/cmp/",
		},
		{
			EDRPOU: "09807750", Host: "csk.ukrsibbank.com",
			IssuerCNs: []string{
				"КНЕДП АТ \"УКРСИББАНК\"",
				"АЦСК Публічного акціонерного товариства \"УкрСиббанк\"",
			},
			OCSP: "http://csk.ukrsibbank.com/services/ocsp/", TSP: "http://csk.ukrsibbank.com/services/tsp/", CMP: "http://csk.ukrsibbank.com/services/cmp/",
		},
		{
			EDRPOU: "23494714", Host: "ca.sensebank.com.ua",
			IssuerCNs: []string{
				"КНЕДП АТ \"СЕНС БАНК\"",
				"КНЕДП АЦСК АТ \"Альфа-Банк\"",
				"Акредитований центр сертифікації ключів АТ \"Альфа-Банк\"",
			},
			OCSP: "http://ca.sensebank.com.ua/services/ocsp/", TSP: "http://ca.sensebank.com.ua/services/tsp/", CMP: "http://ca.sensebank.com.ua/services/cmp/",
		},
		{
			EDRPOU: "14361575", Host: "ca.credit-agricole.ua",
			IssuerCNs: []string{
				"КНЕДП Акціонерного товариства “КРЕДІ АГРІКОЛЬ БАНК”",
				"QTSP of Joint-stock company \"CREDIT-AGRICOLE BANK\"",
			},
			OCSP: "http://ca.credit-agricole.ua/services/ocsp/", TSP: "http://ca.credit-agricole.ua/services/tsp/", CMP: "http://ca.credit-agricole.ua/services/cmp/",
		},
		{
			EDRPOU: "14282829", Host: "pki.pumb.ua",
			IssuerCNs: []string{
				"КНЕДП АТ \"ПУМБ\"",
				"QTSP JSC \"FUIB\"",
			},
			OCSP: "http://pki.pumb.ua/services/ocsp/", TSP: "http://pki.pumb.ua/services/tsp/", CMP: "http://pki.pumb.ua/services/cmp/",
		},
		{
			EDRPOU: "43005049", Host: "ca.depositsign.com",
			IssuerCNs: []string{
				"КНЕДП ТОВ \"ДЕПОЗИТ САЙН\"",
				"QTSP DEPOSIT SIGN LLC",
				"QTSP of the DEPOSIT SIGN LLC",
			},
			OCSP: "http://ca.depositsign.com/services/ocsp/", TSP: "http://ca.depositsign.com/services/tsp/dstu/", CMP: "http://ca.depositsign.com/services/cmp/",
		},
		{
			EDRPOU: "41231992", Host: "ca.vchasno.ua",
			IssuerCNs: []string{
				"КНЕДП ТОВ \"Вчасно Сервіс\"",
				"QTSP \"VCHASNO SERVICE\" LLC",
			},
			OCSP: "http://ca.vchasno.ua/services/ocsp/", TSP: "http://ca.vchasno.ua/services/tsp/dstu/", CMP: "http://ca.vchasno.ua/services/cmp/",
		},
		{
			EDRPOU: "22991050", Host: "ca.mil.gov.ua",
			IssuerCNs: []string{
				"КНЕДП “ЦСК Збройних Сил України”",
				"QTSP “CSK of Armed Forces of Ukraine”",
				"Акредитований Центр сертифікації ключів Збройних Сил",
				"Акредитований центр сертифікації ключів Збройних Сил",
				"Armed Forces of Ukraine Certificate authority",
			},
			OCSP: "http://ca.mil.gov.ua/services/ocsp/", TSP: "http://ca.mil.gov.ua/services/tsp/", CMP: "http://ca.mil.gov.ua/services/cmp/",
		},
		{
			EDRPOU: "43064445", Host: "acsk.oree.com.ua",
			IssuerCNs: []string{
				"КНЕДП \"АЦСК ринку електричної енергії\"",
				"АЦСК ринку електричної енергії",
			},
			OCSP: "http://acsk.oree.com.ua/services/ocsp/", TSP: "http://acsk.oree.com.ua/services/tsp/", CMP: "http://acsk.oree.com.ua/services/cmp/",
		},
		{
			EDRPOU: "00032684", Host: "ca.mvs.gov.ua",
			IssuerCNs: []string{
				"КНЕДП - АЦСК МВС України",
				"АЦСК МВС України",
				"QTSP of the MIAU",
			},
			OCSP: "http://ca.mvs.gov.ua/services/ocsp/", TSP: "http://ca.mvs.gov.ua/services/tsp/", CMP: "http://ca.mvs.gov.ua/services/cmp/",
		},
		{
			EDRPOU: "33240845", Host: "ca.szru.gov.ua",
			IssuerCNs: []string{
				"КНЕДП Служби зовнішньої розвідки України",
				"QTSP of Foreign Intelligence Service of Ukraine",
			},
			OCSP: "http://ca.szru.gov.ua/services/ocsp/", TSP: "http://ca.szru.gov.ua/services/tsp/", CMP: "http://ca.szru.gov.ua/services/cmp/",
		},
		{
			EDRPOU: "00032106", Host: "canbu.bank.gov.ua",
			IssuerCNs: []string{
				"АЦСК Національного банку України",
				"National Bank of Ukraine Certificate authority ECDSA",
			},
			OCSP: "http://canbu.bank.gov.ua/services/ocsp/", TSP: "http://canbu.bank.gov.ua/services/tsp/", CMP: "http://canbu.bank.gov.ua/services/cmp/",
		},
		{
			EDRPOU: "14360920", Host: "ca.pravex.com.ua",
			IssuerCNs: []string{
				"КНЕДП АТ \"ПРАВЕКС БАНК\"",
				"QTSP-RSA of \"PRAVEX BANK\" JSC",
				"QTSP-ECDSA of \"PRAVEX BANK\" JSC",
			},
			OCSP: "http://ca.pravex.com.ua/services/ocsp/", TSP: "http://ca.pravex.com.ua/services/tsp/", CMP: "http://ca.pravex.com.ua/services/cmp/",
		},
		{
			EDRPOU: "09806443", Host: "ca.tascombank.ua",
			IssuerCNs: []string{
				"КНЕДП АТ \"ТАСКОМБАНК\"",
				"QTSP-RSA of JSC TASCOMBANK",
				"QTSP-ECDSA of JSC TASCOMBANK",
			},
			OCSP: "http://ca.tascombank.ua/services/ocsp/", TSP: "http://ca.tascombank.ua/services/tsp/", CMP: "http://ca.tascombank.ua/services/cmp/",
		},
		{
			EDRPOU: "44669502", Host: "amokey.com.ua",
			IssuerCNs: []string{
				"КНЕДП ТОВ \"АМО ФІНТЕХ\"",
			},
			OCSP: "http://amokey.com.ua/services/ocsp/", TSP: "http://amokey.com.ua/services/tsp/", CMP: "http://amokey.com.ua/services/cmp/",
		},
		{
			EDRPOU: "37567646", Host: "ca.treasury.gov.ua",
			IssuerCNs: []string{
				"КНЕДП Казначейства",
				"Кваліфікований надавач ЕДП \"Казначейство\"",
				"АЦСК Державної казначейської служби України",
				"ЦСК Державної казначейської служби України",
			},
			OCSP: "http://ca.treasury.gov.ua:43222/", TSP: "http://ca.treasury.gov.ua:43221/", CMP: "",
		},
		{
			EDRPOU: "00032129", Host: "ca.oschadbank.ua",
			IssuerCNs: []string{
				"КНЕДП АТ \"Ощадбанк\"",
				"QTSP-RSA of JSC \"Oschadbank\"",
				"QTSP-ECDSA of JSC \"Oschadbank\"",
				"КНЕДП ЦСК АТ \"Ощадбанк\"",
				"КНЕДП ЦСК АТ «Ощадбанк»",
				"Акредитований центр сертифікації ключів АТ \"Ощадбанк\"",
			},
			OCSP: "http://ca.oschadbank.ua/public/ocsp", TSP: "http://ca.oschadbank.ua/public/tsp", CMP: "",
		},
		{
			EDRPOU: "00034051", Host: "ca.gp.gov.ua",
			IssuerCNs: []string{
				"КНЕДП органів прокуратури України",
				"QTSP of the Prosecution Bodies of Ukraine",
				"АЦСК Генеральної прокуратури України",
			},
			OCSP: "http://ca.gp.gov.ua/ocsp", TSP: "http://ca.gp.gov.ua/tsp", CMP: "http://ca.gp.gov.ua/cmp",
		},
		{
			EDRPOU: "00034074", Host: "knedp.ssu.gov.ua",
			IssuerCNs: []string{
				"КНЕДП СБ України",
				"QTSP SSU",
			},
			OCSP: "http://va1-knedp.ssu.gov.ua/services/ocsp/", TSP: "http://va1-knedp.ssu.gov.ua/services/tsp/", CMP: "http://va1-knedp.ssu.gov.ua/services/cmp/",
		},
		{
			EDRPOU: "25279440", Host: "cesaris.itsway.kiev.ua",
			IssuerCNs: []string{
				"КНЕДП ЦЕЗАРІС TOB \"Інтер-Метл\"",
				"\"АЦСК TOB 'Інтер-Метл'\"",
			},
			OCSP: "http://cesaris.itsway.kiev.ua/services/ocsp/", TSP: "http://cesaris.itsway.kiev.ua/services/tsp/", CMP: "",
		},
		{
			EDRPOU: "36049014", Host: "ca.e-life.com.ua",
			IssuerCNs: []string{
				"КНЕДП \"eSign\" ТОВ \"Ілайф\"",
			},
			OCSP: "http://ocsp.e-life.com.ua/", TSP: "http://tsp.e-life.com.ua/", CMP: "http://cmp.e-life.com.ua/api/PKI/CMP",
		},
		{
			EDRPOU: "14360506", Host: "ca.bankalliance.ua",
			IssuerCNs: []string{
				"КНЕДП АТ \"БАНК АЛЬЯНС\"",
				"QTSP-RSA of JSC \"Bank Alliance\"",
				"QTSP-ECDSA of JSC \"Bank Alliance\"",
				"QTSP-RSA of JSC \"BANK ALLIANCE\"",
				"QTSP-ECDSA of JSC \"BANK ALLIANCE\"",
			},
			OCSP: "http://ca.bankalliance.ua/ocsp", TSP: "http://ca.bankalliance.ua/tsp", CMP: "http://ca.bankalliance.ua/cmp",
		},
		{
			EDRPOU: "23697280", Host: "qca.ukrgasbank.com",
			IssuerCNs: []string{
				"КНЕДП АБ \"УКРГАЗБАНК\"",
				"QTSP-RSA of JSB \"UKRGASBANK\"",
				"QTSP-ECDSA of JSB \"UKRGASBANK\"",
			},
			OCSP: "http://qca.ukrgasbank.com/ocsp", TSP: "http://qca.ukrgasbank.com/tsp", CMP: "http://qca.ukrgasbank.com/cmp",
		},
		{
			EDRPOU: "21133352", Host: "ca.monobank.ua",
			IssuerCNs: []string{
				"КНЕДП monobank | Universal Bank",
				"QTSP monobank | Universal Bank",
			},
			OCSP: "http://ca.monobank.ua/services/ocsp/dstu/", TSP: "http://ca.monobank.ua/services/tsp/dstu/", CMP: "http://ca.monobank.ua/services/cmp/",
		},
		{
			EDRPOU: "37636185", Host: "ca.edin.ua",
			IssuerCNs: []string{
				"КНЕДП EDIN ID ТОВ \"АТС\"",
				"QTSP EDIN ID of the ATS LLC",
				"КНЕДП EDIN ID ТОВ “АТС”",
			},
			OCSP: "http://ca.edin.ua/services/ocsp/", TSP: "http://ca.edin.ua/services/tsp/", CMP: "http://ca.edin.ua/services/cmp/",
		},
		{
			EDRPOU: "40081258", Host: "csk.uz.gov.ua",
			IssuerCNs: []string{
				"КНЕДП ЦСК Укрзалізниці",
				"QTSP of the Ukrzaliznytsia CA",
				"Акредитований центр сертифікації ключів Укрзалізниці",
				"ЦСК Укрзалізниці",
			},
			OCSP: "http://csk.uz.gov.ua/services/ocsp/", TSP: "http://csk.uz.gov.ua/services/tsp/", CMP: "http://csk.uz.gov.ua/services/cmp/",
		},
		{
			EDRPOU: "14321469", Host: "acsk.dpsu.gov.ua",
			IssuerCNs: []string{
				"КНЕДП \"Військова частина 2428\" ДПСУ",
				"QTSP \"Military unit 2428\" SBGSU",
				"Кваліфікований надавач ЕДП \"Військова частина 2428\"",
				"АЦСК Державної прикордонної служби України",
			},
			OCSP: "http://acsk.dpsu.gov.ua/services/ocsp/", TSP: "http://acsk.dpsu.gov.ua/services/tsp/", CMP: "http://acsk.dpsu.gov.ua/services/cmp/",
		},
		{
			EDRPOU: "08803804", Host: "ca.ngu.gov.ua",
			IssuerCNs: []string{
				"КНЕДП НГУ",
			},
			OCSP: "http://ca.ngu.gov.ua/services/ocsp/", TSP: "http://ca.ngu.gov.ua/services/tsp/", CMP: "http://ca.ngu.gov.ua/services/cmp/",
		},
	}
}
